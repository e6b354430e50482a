"""Mutation testing: small changes of the code that tests should notice."""
