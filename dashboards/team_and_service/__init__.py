"""The lists of teams and of services, and the page of each: its numbers, what happened to it, what covers it."""
