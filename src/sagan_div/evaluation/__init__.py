"""Images -> features -> numbers."""
