"""Connections to other systems, what they delivered, and interactions that came by them."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from app.connections.tables import connected_system, inbox, mirrored
from app.core.ids import parse_id
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
    for connection, ref in enumerate(conversations[:2], start=1):
        found = parse_id(ref)
        assert found is not None
        row = {"id": found.number, "connection_id": connection, "upstream_key": f"c-{connection}", "synced_at": at}
        work.connection.execute(sa.insert(mirrored).values(row))
