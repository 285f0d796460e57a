"""Records into source tables: the configured sources, imports, the warehouse file and what it keeps beside rows."""
