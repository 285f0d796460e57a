"""Source tables into fact tables: the models in order, what they join, and the walk of the commit graph."""
