"""Feature spaces: images -> features, by a network each."""
