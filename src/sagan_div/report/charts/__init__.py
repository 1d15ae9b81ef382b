"""Results -> Vega-Lite charts for the page, which readers can filter, and the same charts as still pictures."""
