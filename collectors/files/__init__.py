"""Sources that are files: records to import, tables, Backstage descriptors."""
