"""Records into source tables: the configured sources, imports, the warehouse file, renames, closed survey rounds."""
