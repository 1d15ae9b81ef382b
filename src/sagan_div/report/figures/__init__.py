"""Results -> matplotlib figures -> PNG, PDF and SVG, the same bytes for the same results: a module for each."""
