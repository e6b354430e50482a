"""Entries that repeat are written so often in a window, and then counted."""

import json
import logging
from io import StringIO

import pytest
import structlog

from app.core.log_limit import ACCESS, MOST_ALIKE, WINDOW_SECONDS, LimitedHandler
from app.core.logs import configure_logs

pytestmark = pytest.mark.usefixtures("own_logs")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Log:
    """A logger whose handler has a clock of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stream = StringIO()
        self.handler = LimitedHandler(self.stream, time=self.clock)
        self.logger = logging.getLogger("app.test_log_limit")
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False
        self.logger.handlers[:] = [self.handler]

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_log_entries_that_repeat_are_counted_when_their_window_ends() -> None:
    log = Log()
    for number in range(1_000):
        log.logger.warning("Invalid request %d", number)
    log.logger.warning("Another kind")
    log.logger.info("Invalid request %d", 0)
    assert log.lines() == [
        *[f"Invalid request {number}" for number in range(MOST_ALIKE)],
        "Another kind",
        "Invalid request 0",
    ]
    log.clock.now = WINDOW_SECONDS
    log.logger.warning("Invalid request %d", 2_000)
    assert log.lines()[MOST_ALIKE + 2 :] == [
        f"{1_000 - MOST_ALIKE} more entries like this one were left out: Invalid request %d",
        "Invalid request 2000",
    ]


def test_log_entries_that_were_left_out_are_counted_at_the_end() -> None:
    log = Log()
    for _ in range(MOST_ALIKE + 1):
        log.logger.error("Invalid request")
    log.handler.close()
    assert log.lines()[MOST_ALIKE:] == ["1 more entries like this one were left out: Invalid request"]


def test_log_entries_of_different_faults_do_not_hide_each_other() -> None:
    log = Log()
    for fault in (ValueError, KeyError):
        for _ in range(MOST_ALIKE * 2):
            try:
                raise fault("x")
            except (ValueError, KeyError):
                log.logger.exception("request failed")
    assert len([line for line in log.lines() if line == "request failed"]) == MOST_ALIKE * 2


def test_log_limit_remembers_a_bounded_number_of_kinds() -> None:
    log = Log()
    for number in range(5_000):
        log.handler.handle(logging.makeLogRecord({"msg": f"Invalid request {number}"}))
    assert len(log.handler._windows) <= 1_000


@pytest.mark.parametrize("name", ACCESS)
def test_access_log_has_every_request(name: str) -> None:
    log = Log()
    for _ in range(MOST_ALIKE + 5):
        for level, text in ((logging.INFO, "GET /graphql"), (logging.WARNING, "Invalid request")):
            log.handler.handle(logging.makeLogRecord({"name": name, "levelno": level, "msg": text}))
    assert log.lines().count("GET /graphql") == MOST_ALIKE + 5
    assert log.lines().count("Invalid request") == MOST_ALIKE


def test_log_entries_of_ours_are_limited_by_what_they_say() -> None:
    stream = StringIO()
    configure_logs("info", "json", stream)
    ours = structlog.stdlib.get_logger("app.transport")
    for number in range(MOST_ALIKE * 2):
        ours.warning("not ready", number=number)
        ours.warning("not well", number=number)
    logging.getLogger().handlers[0].close()
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    said = [entry["event"] for entry in entries]
    assert (said.count("not ready"), said.count("not well")) == (MOST_ALIKE, MOST_ALIKE)
    left_out = f"{MOST_ALIKE} more entries like this one were left out: "
    assert said[-2:] == [f"{left_out}not ready", f"{left_out}not well"]


@pytest.mark.parametrize("name", ["uvicorn.access", "uvicorn.error", "websockets.server"])
def test_log_entries_of_libraries_hold_no_query_string(name: str) -> None:
    stream = StringIO()
    configure_logs("debug", "json", stream)
    logging.getLogger(name).info('%s - "GET %s HTTP/1.1" %d', "1.2.3.4:5", "/graphql?key=secret&x=/y?z=secret", 200)
    assert json.loads(stream.getvalue())["event"] == '1.2.3.4:5 - "GET /graphql HTTP/1.1" 200'
