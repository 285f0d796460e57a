"""A source's API in, an iterator of records out. Knows no database, and not whose an item is."""
