"""GitHub: from `collect.py` on repositories, pull requests, deployments, releases and runs; from `issues.py` on incidents."""
