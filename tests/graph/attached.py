"""Connections to other systems, what they delivered, and interactions that came by them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from app.connections.tables import connected_system, dirty, inbox, mirrored, outbox
from app.core.ids import parse_id
from app.interactions.tables import message
from app.storage.database import Work
from tests.graph.running import Graph

_DELIVERIES = [
    (1, "PARKED", "no JSON", "The body is not JSON."),
    (1, "PARKED", "[]", "The body is not a JSON object."),
    (1, "DONE", None, None),
    (1, "PENDING", "{}", None),
    (1, "PARKED", "ünï \U0001f600", "The body is not JSON."),
    (2, "PENDING", "{}", None),
    (3, "PARKED", "{", "The body is not JSON."),
]
"""Of each delivery its connection, how far it came, its body, and why it could not be applied."""


async def store_connections(graph: Graph, conversations: Sequence[str]) -> list[str]:
    """Four connections: one that lags, one that is paused, one whose sender has the wrong secret, one that is new.

    The first two have an interaction each."""
    found = []
    for name, agent in (("Shop", "cha_1"), ("Desk", "cha_2"), ("Ünï", None), ("New", None)):
        settings = {} if agent is None else {"channelAgentId": agent}
        given = {"system": "HTTP", "name": name, "settings": settings}
        found.append((await graph.do("createConnection", given, "connection { id }"))["connection"]["id"])
    await graph.do("pauseConnection", {"id": found[1]})
    await graph.do("rotateConnectionSecret", {"id": found[0], "formerForSeconds": 600})
    await graph.database.command(_deliver, conversations)
    return found


def _deliver(work: Work, conversations: Sequence[str]) -> None:
    at = work.now - timedelta(seconds=90)
    of = connected_system.c
    work.connection.execute(sa.update(connected_system).where(of.id < 4).values(last_delivery_at=at))
    refused = {"last_refused_at": work.now, "refused_count": 3}
    work.connection.execute(sa.update(connected_system).where(of.id == 3).values(refused))
    for number, (connection, state, body, reason) in enumerate(_DELIVERIES):
        row = {
            "connection_id": connection,
            "event_key": f"evt-{number}",
            "received_at": at,
            "state": state,
            "body": body,
            "attempts": number,
            "due_at": at,
            "reason": reason,
        }
        work.connection.execute(sa.insert(inbox).values(row))
    work.connection.execute(
        sa.update(connected_system).where(of.id == 2).values(missing=7, address="https://desk.example.com")
    )
    reached = {"address": "https://bot.example.com", "polled_at": at, "walk_page": 1, "walk_pages": 3}
    work.connection.execute(sa.update(connected_system).where(of.id == 4).values(reached))
    work.connection.execute(sa.update(connected_system).where(of.id == 2).values(cannot=""))
    marks = {"connection_id": 4, "fingerprint": None, "quiet": True, "due_at": at, "attempts": 0}
    work.connection.execute(sa.insert(dirty), [{**marks, "upstream_key": key} for key in ("a", "b")])
    failing = [
        {**marks, "connection_id": connection, "upstream_key": key, "attempts": attempts, "reason": "Ünï \U0001f600"}
        for connection, key, attempts in ((1, "c", 4), (1, "d", 9), (1, "e", 3), (1, "ünï", 4), (2, "f", 5))
    ]
    work.connection.execute(sa.insert(dirty), failing)
    for connection, ref in enumerate(conversations[:2], start=1):
        found = parse_id(ref)
        assert found is not None
        row = {"id": found.number, "connection_id": connection, "upstream_key": f"c-{connection}", "synced_at": at}
        work.connection.execute(sa.insert(mirrored).values(row))
        work.connection.execute(sa.insert(outbox), list(_entries(work, connection, found.number)))


def _entries(work: Work, connection: int, number: int) -> Iterator[Mapping[str, object]]:
    """What is to be done for an interaction: of the second all that can become of it, of the first one doubt."""
    first = sa.select(sa.func.min(message.c.id)).where(message.c.interaction_id == number)
    common = {"connection_id": connection, "interaction_id": number, "attempts": 1, "created_at": work.now}
    times = {"due_at": work.now, "deadline": work.now + timedelta(hours=1), "actor_id": 2}
    made = {"action": "MESSAGE", "message_id": work.connection.execute(first).scalar(), "slot": None, "value": None}
    yield {**common, **times, **made, "state": "UNCERTAIN", "error": "No answer."}
    if connection == 2:
        value = {"action": "STATUS", "message_id": None, "slot": "STATUS", "value": "DONE"}
        yield {**common, **times, **value, "state": "REFUSED", "error": "Ünï \U0001f600"}
        yield {**common, **times, **value, "state": "WAITING", "error": None}
