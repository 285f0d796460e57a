"""GitHub: from `collect.py` on pull requests, deployments, releases and runs; from `issues.py` on incidents."""
