"""The page Can I trust this?: coverage, the sources' runs, what is missing or unmapped."""
