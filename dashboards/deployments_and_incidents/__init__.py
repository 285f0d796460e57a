"""The pages of deployments and of incidents: lists that are searched, filtered and opened."""
