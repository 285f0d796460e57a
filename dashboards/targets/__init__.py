"""The page of targets: each over the weeks, and the events."""
