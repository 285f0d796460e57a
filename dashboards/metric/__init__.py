"""The page of one metric: its number, its weeks, how it is made up, and the rows behind it."""
