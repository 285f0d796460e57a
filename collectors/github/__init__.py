"""GitHub: from `collect.py` on repositories, pull requests, deployments, releases, runs; from `issues.py` on incidents."""
