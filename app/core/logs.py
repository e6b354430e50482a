"""The format of log entries, our own and those of libraries."""

import logging
import re
import sys
from typing import Literal, TextIO

import structlog

from app.core.log_limit import LimitedHandler
from app.core.trail import with_trail

_QUERY_STRING = re.compile(r"""(/[^\s?"']*)\?[^\s"']*""")


def configure_logs(level: str, form: Literal["console", "json"], stream: TextIO | None = None) -> None:
    """Send every log entry from `level` upwards to `stream` (standard error), as a line for people or a JSON object.

    A process's entry point calls this once. Tracebacks never show local variables, which may contain what customers
    wrote. Addresses lose their query string, which may contain a key. Repeated entries are limited, see
    LimitedHandler."""
    target = sys.stderr if stream is None else stream
    timestamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if form == "console" else "iso", utc=form == "json")
    shared: list[structlog.typing.Processor] = [
        with_trail,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        timestamp,
    ]
    last: list[structlog.typing.Processor]
    if form == "console":
        colours = target.isatty()
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, pad_event_to=0)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    handler = LimitedHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter(), _without_query_strings],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # At INFO it logs every plug-in and every step, where other libraries log what matters.
    logging.getLogger("alembic").setLevel("DEBUG" if level == "debug" else "WARNING")
    # At DEBUG these log the headers and frames of every socket, and the parameters of every statement.
    for name in ("uvicorn.error", "aiosqlite"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _without_query_strings(
    _logger: object, _name: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    entry["event"] = _QUERY_STRING.sub(r"\1", str(entry["event"]))
    return entry
