"""Incidents from PagerDuty; begins at `collect.py`."""
