"""What a collector yields: records, and what else comes between them."""
