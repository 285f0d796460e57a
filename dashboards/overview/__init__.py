"""The overview: the keys as tiles, what changed last week, teams and services against the targets."""
