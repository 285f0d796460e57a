"""What the platform team wrote of its platform: its own YAML as it stands, and what Sixkeys makes of it."""
