import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Literal

import pytest
import structlog

from app.core.logs import configure_logs
from app.core.trail import Trail, follow

pytestmark = pytest.mark.usefixtures("own_logs")


@contextmanager
def followed(trail: Trail) -> Iterator[None]:
    """What is logged in the block belongs to this request."""
    token = follow(trail)
    yield
    token.var.reset(token)


def logged(form: Literal["console", "json"]) -> list[str]:
    """What a few entries look like: two of ours, one of a library, one too fine to show."""
    stream = StringIO()
    configure_logs("info", form, stream)
    ours = structlog.stdlib.get_logger("app.transport")
    with followed(Trail("r1")):
        ours.info("request answered", status=200)
        ours.debug("not shown")
    logging.getLogger("uvicorn.error").warning("Closing %d sockets", 2)
    customer_text = "private words"
    try:
        raise ValueError(len(customer_text))
    except ValueError:
        ours.exception("request failed")
    return stream.getvalue().splitlines()


def test_json_entries_are_one_object_a_line() -> None:
    entries = [json.loads(line) for line in logged("json")]
    times = [entry.pop("timestamp") for entry in entries]
    traceback = entries[2].pop("exception").splitlines()
    assert entries == [
        {
            "request_id": "r1",
            "status": 200,
            "event": "request answered",
            "logger": "app.transport",
            "level": "info",
        },
        {"event": "Closing 2 sockets", "logger": "uvicorn.error", "level": "warning"},
        {"event": "request failed", "logger": "app.transport", "level": "error"},
    ]
    assert all(time.endswith("Z") for time in times)
    assert (traceback[0], traceback[-1]) == ("Traceback (most recent call last):", "ValueError: 13")


def test_console_entries_are_for_people() -> None:
    lines = logged("console")
    assert [line.split(" ", 1)[1] for line in lines[:3]] == [
        "[info     ] request answered [app.transport] request_id=r1 status=200",
        "[warning  ] Closing 2 sockets [uvicorn.error]",
        "[error    ] request failed [app.transport]",
    ]
    assert lines[-1] == "ValueError: 13"


@pytest.mark.parametrize("form", ["console", "json"])
def test_tracebacks_hold_no_local_variables(form: Literal["console", "json"]) -> None:
    shown = "\n".join(logged(form))
    assert shown.count("private words") == 0
