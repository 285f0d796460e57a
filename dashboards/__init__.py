"""Metrics to people: pages and their server, scorecards and alerts and their delivery, what the command line shows."""
