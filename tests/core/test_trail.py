"""What is known of a request, and how a trace is joined."""

import pytest

from app.core.trail import Trail, client_named, follow, with_trail

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("flags", "is_sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("04", False)]
)
def test_trace_of_the_caller_is_joined_with_its_flag(flags: str, is_sampled: bool) -> None:
    trail = Trail()
    trail.trace(f"00-{TRACE}-{SPAN}-{flags}".encode())
    assert (trail.trace_id, trail.parent, trail.is_sampled) == (TRACE, SPAN, is_sampled)
    assert trail.traceparent == f"00-{TRACE}-{trail.span}-0{int(is_sampled)}"
    assert trail.span not in (None, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        f"01-{TRACE}-{SPAN}-01".encode(),
        f"00-{'0' * 32}-{SPAN}-00".encode(),
        f"00-{TRACE}-{'0' * 16}-00".encode(),
    ],
)
def test_trace_begins_anew_without_a_valid_header(header: bytes | None) -> None:
    trail = Trail()
    assert trail.traceparent is None
    trail.trace(header)
    assert (trail.parent, trail.is_sampled) == (None, True)
    assert trail.traceparent == f"00-{trail.trace_id}-{trail.span}-01"
    assert (len(trail.trace_id or ""), len(trail.span or "")) == (32, 16)


def test_trail_keeps_the_first_code() -> None:
    trail = Trail()
    trail.refused("FORBIDDEN")
    trail.refused("NOT_FOUND")
    assert trail.code == "FORBIDDEN"


def test_client_is_the_first_header_that_is_present() -> None:
    first, second = b"x-client-name", b"graphql-client-name"
    assert client_named({second: b"two", first: b"one"}) == "one"
    assert client_named({second: b"x" * 64}) == "x" * 64
    assert client_named({first: b"x" * 65, second: b"two"}) is None
    assert client_named({first: b"tab\there"}) is None
    assert client_named({}) is None


def test_log_entry_gets_what_is_known_of_the_request() -> None:
    trail = Trail("r1")
    trail.user_id = 7
    follow(None)
    assert with_trail(None, "info", {"event": "x"}) == {"event": "x"}
    follow(trail)
    try:
        assert with_trail(None, "info", {"event": "x"}) == {"event": "x", "request_id": "r1", "user_id": 7}
        assert with_trail(None, "info", {"user_id": 9}) == {"user_id": 9, "request_id": "r1"}
    finally:
        follow(None)
