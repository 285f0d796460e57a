"""What happens at acme, written down: people, weeks, ordinary work from a seed, and the cases worked out by hand."""
