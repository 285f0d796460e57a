"""A small organisation whose numbers are worked out by hand, and the server that speaks its sources' APIs."""
