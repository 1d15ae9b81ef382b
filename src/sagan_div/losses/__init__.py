"""What the two networks minimise."""
