"""What one job of each kind does: read its inputs, call the wing that computes, write its outputs."""
