"""Traces of requests and deliveries by OpenTelemetry."""

from app.tracing.collecting import tracing

__all__ = ["tracing"]
