"""A repository's history as numbers: what each deployment shipped, and which commits are one change. No database."""
