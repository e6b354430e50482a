"""Measures what live data costs: deliveries to many listeners, and the writing of the log."""
