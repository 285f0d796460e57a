"""GitHub: repositories, pull requests, deployments, releases, workflow runs and issues; begins at `collect.py`."""
