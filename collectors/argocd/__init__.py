"""Deployments from Argo CD; begins at `collect.py`."""
