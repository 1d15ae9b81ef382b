"""Images and chance: datasets -> uint8 arrays, and streams of random numbers."""
