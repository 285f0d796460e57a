"""The page of satisfaction, and the survey page that takes answers."""
