"""Signal or noise: what changed in days or a week by more than chance, how sure that is, and how much it is."""
