"""The rows behind a number: explained, listed, spread, staged, on a time axis, exported; services as described."""
