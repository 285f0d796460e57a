"""Records into source tables: the configured sources, imports, what is forgotten, closed survey rounds, backups."""
