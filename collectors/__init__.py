"""A source's API in, an iterator of records out. Knows no database and no catalogue."""
