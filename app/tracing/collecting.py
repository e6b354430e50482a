"""The exporter of spans; the only module that imports OpenTelemetry's libraries."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from app.tracing.spans import Traces

LAST_SECONDS = 1.0
"""How long the latest spans may take to reach the collector when the server stops."""

MOST_WAITING = 4_096
"""Spans that wait for the collector; while it is away, further ones are dropped."""

_EXPORT_SECONDS = 5.0


@contextmanager
def tracing(settings: Settings) -> "Iterator[Traces | None]":
    """The watcher that makes spans until the end of the block; None when the settings name no collector.

    Raises SettingsError when OpenTelemetry is not installed."""
    if settings.traces_url is None:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from app.tracing.spans import Ids, Traces
    except ImportError as error:
        raise SettingsError(
            f"SWITCHBOARD_TRACES_URL: {error.name} is not installed; `pip install opentelemetry-sdk "
            "opentelemetry-exporter-otlp-proto-http` brings it, or leave the variable unset."
        ) from None
    ids = Ids()
    provider = TracerProvider(
        id_generator=ids, resource=Resource({"service.name": "switchboard"}), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=settings.traces_url, timeout=_EXPORT_SECONDS)
    # In its own thread: a collector that does not answer delays no request.
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING))
    try:
        yield Traces(provider.get_tracer("switchboard"), ids)
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_SECONDS)
