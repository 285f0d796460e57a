"""Fact tables into metrics: the open facts, periods, values, targets over time, and signal or noise."""
