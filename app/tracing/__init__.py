"""Traces of requests and deliveries, for who has a collector of OpenTelemetry."""

from app.tracing.collecting import tracing

__all__ = ["tracing"]
