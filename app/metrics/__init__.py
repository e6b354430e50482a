"""Metrics of one process in Prometheus's text format, on their own port."""

from app.metrics.counts import Counts
from app.metrics.serving import measuring

__all__ = ["Counts", "measuring"]
