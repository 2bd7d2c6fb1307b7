"""Live sources of positions, one file a door; each with its fake beside it."""
