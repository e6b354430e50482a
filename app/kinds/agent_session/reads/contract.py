"""Reads only for the REST contract: pages of agents, sessions, events."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.core.paging import decode_cursor, encode_cursor
from app.interactions.reads.sight import only, seen_by_key
from app.interactions.tables import message
from app.kinds.agent_session.model import NAME
from app.kinds.agent_session.model.matching import conditions, expression
from app.kinds.agent_session.reads.mapping import AGENT_PREFIX, SEES
from app.kinds.agent_session.tables import agent_session, ai_agent
from app.selection.catalogue import FieldFacts, TypeFacts
from app.selection.mapping import Bind, Env, Permissions, Read, RootMany, RootOne, RootSteps, Scope, Sql

Reading = Generator[Any, Sequence[Any], Mapping[str, object] | None]
Passes = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Scanning:
    """How far one request looks for what its filter accepts; the next page continues from there.

    It reads `rows`, `batch` at a time. It matches `characters` of their names, descriptions and metadata, for `seconds`
    at most, because other work waits meanwhile. The costliest expressions take a thousand times as long per character
    as others."""

    rows: int = 20_000
    batch: int = 100
    characters: int = 2_000_000
    seconds: float = 0.25


SCANNING = Scanning()
"""The limits of the contract."""

_AGENT_KEY: sa.BindParameter[str] = sa.bindparam("agent_key", type_=sa.Text)


def _place() -> sa.BindParameter[int]:
    return sa.bindparam("place", type_=sa.BigInteger)


def _sized(select: sa.Select[Any]) -> sa.Select[Any]:
    return select.limit(sa.bindparam("size", type_=sa.Integer))


def _agent() -> sa.Select[Any]:
    return sa.select(ai_agent.c.id).where(ai_agent.c.agent_key == _AGENT_KEY)


def _agents(enabled: bool | None) -> Callable[[], sa.Select[Any]]:
    def build() -> sa.Select[Any]:
        found = sa.select(ai_agent.c.id, ai_agent.c.name, ai_agent.c.description).where(ai_agent.c.id > _place())
        return _sized(_switched(found, ai_agent.c.enabled, enabled).order_by(ai_agent.c.id))

    return build


def _sessions(enabled: bool | None, permissions: Permissions) -> Callable[[], sa.Select[Any]]:
    def build() -> sa.Select[Any]:
        own = agent_session.c
        found: sa.Select[Any] = sa.select(own.id, own.name, own.description, own.metadata)
        of_agent = own.agent_id == sa.bindparam("agent_id", type_=sa.BigInteger)
        found = only(found.where(of_agent, own.id < _place()), seen_by_key(permissions, own.id, NAME))
        return _sized(_switched(found, own.enabled, enabled).order_by(own.id.desc()))

    return build


def _events(hidden: bool) -> Callable[[], sa.Select[Any]]:
    def build() -> sa.Select[Any]:
        of_session = message.c.interaction_id == sa.bindparam("session_id", type_=sa.BigInteger)
        found = sa.select(message.c.id).where(of_session, message.c.id > _place())
        if not hidden:
            found = found.where(sa.not_(sa.func.coalesce(message.c.hidden, sa.false())))
        return _sized(found.order_by(message.c.id))

    return build


def _session(permissions: Permissions) -> sa.Select[Any]:
    own_key = agent_session.c.agent_session_key == sa.bindparam("agent_session_key", type_=sa.Text)
    found = sa.select(agent_session.c.id).join(ai_agent).where(ai_agent.c.agent_key == _AGENT_KEY, own_key)
    return only(found, seen_by_key(permissions, agent_session.c.id, NAME))


def _switched(select: sa.Select[Any], column: sa.Column[Any], enabled: bool | None) -> sa.Select[Any]:
    return select if enabled is None else select.where(column if enabled else sa.not_(column))


def _scan(
    read: Read,
    name: object,
    build: Callable[[], sa.Select[Any]],
    passes: Passes | None,
    size: int,
    place: int,
    limits: Scanning,
    **values: object,
) -> Generator[Any, Sequence[Any], tuple[list[int], int | None]]:
    """The ids of one page, and the place where the next one begins; None when nothing can follow."""
    found: list[int] = []
    scanned = characters = 0
    looked = 0.0
    batch = size + 1 if passes is None else limits.batch
    while True:
        rows = yield read.query(name, build, place=place, size=batch, **values)
        for row in rows:
            began = perf_counter()
            if passes is None or passes(row):
                if len(found) == size:
                    return found, place
                found.append(row[0])
            place = row[0]
            looked += perf_counter() - began
            characters += sum(len(text) for text in row[1:] if text is not None)
            if passes is not None and (characters >= limits.characters or looked >= limits.seconds):
                return found, place
        scanned += len(rows)
        if len(rows) < batch:
            return found, None
        if scanned >= limits.rows:
            return found, place


def _naming(pattern: str) -> Passes:
    matches = expression(pattern)
    return lambda row: matches(row[1]) or (row[2] is not None and matches(row[2]))


def _begun(kind: str, key: str | None, start: int) -> int:
    if key is None:
        return start
    return int(decode_cursor(kind, key, (int,), path=("page_key",))[0]) if key else start


def _page(items: str, kind: str, found: tuple[list[int], int | None]) -> Mapping[str, object]:
    ids, place = found
    return {items: ids, "page_key": None if place is None else encode_cursor(kind, [place])}


def list_agents(read: Read, _env: Env, arguments: Mapping[str, Any], limits: Scanning = SCANNING) -> Reading:
    """Agents in the order in which they were made."""
    pattern, enabled = arguments.get("filter"), arguments.get("enabled")
    passes = None if pattern is None else _naming(pattern)
    place = _begun("agents", arguments.get("page_key"), 0)
    found = yield from _scan(read, ("agents", enabled), _agents(enabled), passes, arguments["limit"], place, limits)
    return _page("agents", "agents", found)


def list_sessions(read: Read, _env: Env, arguments: Mapping[str, Any], limits: Scanning = SCANNING) -> Reading:
    """Sessions, newest first. None for an unknown agent."""
    rows = yield read.query("agent", _agent, agent_key=arguments["agent_key"])
    if not rows:
        return None
    enabled = arguments.get("enabled")
    tests: list[Passes] = []
    if arguments.get("filter") is not None:
        tests.append(_naming(arguments["filter"]))
    if arguments.get("metadata_filter") is not None:
        meets = conditions(arguments["metadata_filter"])
        tests.append(lambda row: meets(row[3]))
    passes: Passes | None = (lambda row: all(test(row) for test in tests)) if tests else None
    place = _begun("sessions", arguments.get("page_key"), 2**63 - 1)
    found = yield from _scan(
        read,
        ("sessions", enabled),
        _sessions(enabled, read.permissions),
        passes,
        arguments["limit"],
        place,
        limits,
        agent_id=rows[0][0],
    )
    return _page("sessions", "sessions", found)


def list_events(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    """Events in the order in which they happened. None for an unknown session."""
    keys = {name: arguments[name] for name in ("agent_key", "agent_session_key")}
    rows = yield read.query("session", lambda: _session(read.permissions), **keys)
    if not rows:
        return None
    hidden = bool(arguments.get("include_hidden"))
    place = _begun("events", arguments.get("page_key"), 0)
    found = yield from _scan(
        read, ("events", hidden), _events(hidden), None, arguments["limit"], place, SCANNING, session_id=rows[0][0]
    )
    return _page("events", "events", found)


def _event(scope: Scope, bind: Bind) -> Sql:
    channel = sa.select(sa.literal_column(f"'{AGENT_PREFIX}_'").concat(sa.cast(ai_agent.c.id, sa.Text))).where(
        ai_agent.c.agent_key == bind("agent_key", sa.Text)
    )
    return sa.and_(
        scope.c.channel_key == channel.scalar_subquery(),
        scope.c.message_key == bind("message_key", sa.Text),
        scope.c.kind == sa.literal_column(f"'{NAME}'"),
    )


def _facts(items: str, type_name: str) -> TypeFacts:
    return TypeFacts(
        {items: FieldFacts(type_name, nullable=False, many=True), "pageKey": FieldFacts("String", True, False)}
    )


CONTRACT_ROOTS: Mapping[str, RootOne | RootMany | RootSteps] = MappingProxyType(
    {
        "agentContractAgents": RootSteps("AgentContractAgents", list_agents, requires=SEES),
        "agentContractSessions": RootSteps("AgentContractSessions", list_sessions, requires=SEES),
        "agentContractEvents": RootSteps("AgentContractEvents", list_events, requires=SEES),
        "agentContractEvent": RootOne(
            "Message",
            _event,
            lambda _env, arguments: {name: arguments[name] for name in ("agent_key", "message_key")},
            requires=SEES,
        ),
    }
)

CONTRACT_TYPES: Mapping[str, TypeFacts] = MappingProxyType(
    {
        "AgentContractAgents": _facts("agents", "AiAgent"),
        "AgentContractSessions": _facts("sessions", "AgentSession"),
        "AgentContractEvents": _facts("events", "Message"),
    }
)
