"""Commits and tags of each repository, by clone or through GitHub's API; begins at `collect.py`."""
