"""The page of the platform: whether it is used, followed, safe, fast and worth it, and each miss behind that."""
