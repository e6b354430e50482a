"""A client of the public graph that follows alerts; imports nothing of the server."""
