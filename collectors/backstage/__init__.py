"""The service catalogue: what an entity of it means, and Backstage itself, read through its API."""
