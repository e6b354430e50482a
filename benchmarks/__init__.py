"""Measures what a request costs, on the real server over generated databases."""
