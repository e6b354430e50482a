"""Hears alerts over the public graph, as any client could; knows no server."""
