"""What people write: YAML documents, read within limits, and values as a message quotes them."""
