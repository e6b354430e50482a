"""Metrics of one process, in the text that Prometheus reads, on a port of their own."""

from app.metrics.counts import Counts
from app.metrics.serving import measuring

__all__ = ["Counts", "measuring"]
