"""What every server is asked: the same documents, with the same variables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases import FLAT, INBOX, INBOX_NODE, SINGLE, UPDATE, request, updates

PAGE = f"""query Page {{
  interactions(first: 50, filter: {{kinds: [CONVERSATION]}}) {{
    nodes {{ {INBOX_NODE} }}
  }}
}}"""
OPEN = """query Open {
  interactions(first: 20, filter: {kinds: [SESSION], states: [OPEN]}, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { id kind state version latestMessageAt }
  }
}"""

READERS = 8
WRITERS = 32


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, and the requests that the connections of a load send in turn, again and again."""

    name: str
    document: str
    connections: Sequence[Sequence[bytes]]
    writes: bool = False


def operations(sessions: Sequence[tuple[str, str]]) -> list[Operation]:
    """All of them, over these Sessions, as (id, key)."""
    ones = [request(SINGLE, {"key": key}) for _, key in sessions]
    writing = [updates(sessions[writer::WRITERS]) for writer in range(WRITERS)]
    return [
        Operation("one Session", SINGLE, _shared(ones)),
        Operation("20 interactions", FLAT, _alike(FLAT)),
        Operation("20 open of one kind, as created", OPEN, _alike(OPEN)),
        Operation("page of one kind, 50", PAGE, _alike(PAGE)),
        Operation("page of the queue, 50", INBOX, _alike(INBOX)),
        Operation("update", UPDATE, writing, writes=True),
        Operation("four reads, one update", "", _mixed(ones, writing), writes=True),
    ]


def _alike(document: str, variables: Mapping[str, Any] | None = None) -> list[list[bytes]]:
    return [[request(document, variables)]] * READERS


def _shared(requests: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [requests[start::READERS] for start in range(READERS)]


def _mixed(ones: Sequence[bytes], writing: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    """Each connection asks for a Session, the lists and the queue, then changes a Session of its own."""
    reads: Callable[[int], list[bytes]] = lambda turn: [  # noqa: E731 - one line says it
        ones[turn % len(ones)],
        request(FLAT),
        request(OPEN),
        request(INBOX),
    ]
    return [
        [each for turn, write in enumerate(writing[connection]) for each in (*reads(turn + connection), write)]
        for connection in range(READERS)
    ]
