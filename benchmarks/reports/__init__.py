"""Measures what reports cost over the marks of generated interactions."""
