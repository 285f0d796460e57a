"""Fact tables into metrics: the open facts, periods, values, and targets over time."""
