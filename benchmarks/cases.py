"""What is asked of the server: four cases, each as requests that are ready to be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

KEY = "benchmark-key-of-this-machine"
"""The API key of the measured server; it serves nobody else."""

INBOX_NODE = """id kind state latestMessageAt unreadCustomerMessagesCount
      attention { level reason since }
      customer { id name }
      messages(last: 5) { nodes { id author text sentAt } }"""
INBOX = f"""query Inbox {{
  attentionQueue(first: 50) {{
    nodes {{
      {INBOX_NODE}
    }}
  }}
}}"""
FLAT = "query Flat { interactions(first: 20) { nodes { id kind state version latestMessageAt } } }"
SINGLE = "query One($key: UUID!) { session(sessionKey: $key) { id state needAttention tags version } }"
UPDATE = """mutation Change($input: UpdateSessionInput!) {
  updateSession(input: $input) { session { id tags topics version } errors { code } }
}"""
_SESSIONS = """query Sessions($after: String) {
  interactions(first: 100, after: $after, filter: {kinds: [SESSION]}) {
    nodes { id ... on Session { sessionKey } }
    pageInfo { endCursor }
  }
}"""

ROWS = 400
"""How many different Sessions are read and updated in turn."""


@dataclass(frozen=True, slots=True)
class Case:
    """Requests for each connection, to be sent in turn again and again. `aim` is microseconds of CPU on SQLite."""

    name: str
    aim: int
    connections: Sequence[Sequence[bytes]]


def cases(sessions: Sequence[tuple[str, str]]) -> list[Case]:
    """The four cases over these Sessions, as (id, key)."""
    ones = [request(SINGLE, {"key": key}) for _, key in sessions]
    return [
        Case("single read", 150, [ones[start::8] for start in range(8)]),
        Case("flat list of 20", 200, [[request(FLAT)]] * 8),
        Case("inbox of 50", 1_200, [[request(INBOX)]] * 4),
        Case("update, 32 writers", 500, [updates(sessions[writer::32]) for writer in range(32)]),
    ]


def pages_of_sessions() -> Sequence[bytes]:
    """The request for the first page, to be followed by `next_page`."""
    return (request(_SESSIONS),)


def next_page(after: str) -> bytes:
    """The request for the page of Sessions after a cursor."""
    return request(_SESSIONS, {"after": after})


def request(document: str, variables: Mapping[str, Any] | None = None, key: str = KEY) -> bytes:
    """A whole HTTP/1.1 request, as a client with keep-alive sends it."""
    body = orjson.dumps({"query": document, "variables": variables or {}})
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/graphql-response+json\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def updates(sessions: Sequence[tuple[str, str]]) -> list[bytes]:
    """Changes of these Sessions; each differs from the one before on the same row, so that every one of them writes."""
    return [
        request(UPDATE, {"input": {"id": number, "tags": [f"tag-{turn}", "detox"], "topics": [f"topic-{turn % 3}"]}})
        for turn in range(7)
        for number, _ in islice(sessions, 12)
    ]


def server_settings(url: str) -> dict[str, str]:
    """The environment of a measured server over this database."""
    return {
        "SWITCHBOARD_DATABASE_URL": url,
        "SWITCHBOARD_BOOTSTRAP_KEY": KEY,
        "SWITCHBOARD_DEMO": "0",
        "SWITCHBOARD_LOG_LEVEL": "error",
    }
