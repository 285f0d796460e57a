"""Requests of the platform: entries of configured files in repositories; begins at `collect.py`."""
