"""The list of deleted data that is still to be erased."""

CUSTOMER = "customer"
INTERACTION = "interaction"
SEARCH = "search"
"""The index of the search, which holds what was erased until it is rewritten."""

FILES = "files"
"""Free pages of SQLite's file, and its write-ahead log."""
