"""A client of the public graph that follows alerts."""
