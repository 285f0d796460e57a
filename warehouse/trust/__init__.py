"""What the numbers rest on: coverage, unwatched services, what matches nothing, the sources' runs, who owns what."""
