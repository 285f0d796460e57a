"""Requests to sources: a client of JSON APIs, pacing, cost, several at once, and values from elsewhere."""
