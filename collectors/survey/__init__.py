"""Survey answers from files, addresses and the survey page; begins at `collect.py`."""
