"""Reads the platform's sessions, and writes to them."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from app.connections.recalled import Recalled
from app.connections.shapes import digest_of
from app.core import json_text
from app.core.clock import Clock
from app.interactions.remote import (
    HINT,
    Hook,
    Listed,
    ListPage,
    Looked,
    Reach,
    Refused,
    Snapshot,
    Task,
    Unanswered,
)
from app.kinds.agent_session.model import canonical, merged
from app.kinds.agent_session.service.mirroring import DESCRIPTION, ENABLED, HIDDEN, IDLE, MESSAGE, METADATA, NAME
from app.kinds.agent_session.upstream.vectara import shapes
from app.kinds.agent_session.upstream.vectara.access import ApiKey, ClientCredentials, access_by, checked_credential

OVERLAP = timedelta(minutes=15)
"""How long runs are looked for again, because a long run may be listed late."""

_PAGE = 100
_MOST_PAGES = 200
_MOST_RUN_PAGES = 20
_MOST_REMEMBERED = 5_000
_AGENT_LASTS = timedelta(minutes=10)
_SKEW = timedelta(minutes=5)
_WHILE_RUNNING = 5.0


class Read(NamedTuple):
    """A session with its events, and the name of its agent."""

    session: shapes.Session
    events: list[shapes.Event]
    agent_name: str


_CANNOT = frozenset({"REPLY", "BOT_REPLY", "DELETE"})


class VectaraRemote:
    """The platform's agents and sessions, through its documented operations only."""

    creating = frozenset({MESSAGE})
    costly: frozenset[str] = frozenset()
    settles = timedelta(seconds=30)
    newest_first = False
    mirrored_whole = True

    def __init__(self) -> None:
        self._names: Recalled[str] = Recalled(_AGENT_LASTS)

    def checked(self, credential: str) -> str:
        return checked_credential(credential)

    def access(self, address: str, credential: str, clock: Clock) -> ApiKey | ClientCredentials:
        return access_by(address, credential)

    def cannot_with(self, credential: str) -> frozenset[str]:
        return _CANNOT

    # ---- reading -----------------------------------------------------------------------------------------------------

    async def changes(self, reach: Reach, cursor: str | None, at: str | None) -> ListPage:
        """The sessions in which agents have run since then. For an account that cannot list runs, only walks find
        changes."""
        since, known = _place(cursor, reach.now - OVERLAP)
        found: dict[str, str] = {}
        latest, marks, page = since, dict[str, str](), None
        try:
            for _ in range(_MOST_RUN_PAGES):
                query: dict[str, str | int] = {"started_after": shapes.written(since), "limit": _PAGE}
                answered = await reach.ask("/v2/agent_analytics/traces", **query, **_leads(page))
                listed = shapes.read_page(answered.found("The other system lists no runs.").value, "traces")
                for trace in map(shapes.read_trace, listed.items):
                    latest = max(latest, trace.started_at)
                    marks[trace.trace_id] = mark = f"{trace.trace_id} {trace.duration_ms}"
                    if trace.agent_key and trace.session_key and mark != known.get(trace.trace_id):
                        found[f"{trace.agent_key}/{trace.session_key}"] = HINT + mark
                if (page := listed.after) is None:
                    break
        except Refused as refused:
            if refused.status not in (403, 404):
                raise
            await self._page(reach, "/v2/agents", "agents", None)
            return ListPage([], cursor=cursor)
        wanted = _wanted(reach)
        items = [Listed(key, why) for key, why in found.items() if wanted is None or key.split("/")[0] in wanted]
        kept = dict(list(marks.items())[-_MOST_REMEMBERED:])
        place = orjson.dumps([shapes.written(max(since, latest - OVERLAP)), kept]).decode()
        return ListPage(items, cursor=place)

    async def list_page(self, reach: Reach, at: str | None) -> ListPage:
        """A page of an agent's sessions, one agent after the other; or a page of the agents, which has no items."""
        left, page, more = _walked(at)
        wanted = _wanted(reach)
        if at is None and wanted is not None:
            return ListPage([], _walk(wanted, None, None))
        if not left:
            found = await self._page(reach, "/v2/agents", "agents", more)
            return ListPage([], _walk([each.key for each in map(shapes.read_agent, found.items)], None, found.after))
        agent, *others = left
        answered = await reach.ask(f"/v2/agents/{agent}/sessions", limit=_PAGE, **_leads(page))
        if answered.status == 404:
            # It was deleted after it was listed, with its sessions.
            return ListPage([], _walk(others, None, more))
        listed = shapes.read_page(answered.value, "sessions")
        items = [Listed(f"{agent}/{shapes.read_session(each).key}", digest_of(each)) for each in listed.items]
        return ListPage(items, _walk(others if listed.after is None else left, listed.after, more))

    async def read(self, reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
        agent, _ = key.split("/")
        answered = await reach.ask(_path(key))
        if answered.status == 404:
            return Snapshot(key, "", None)
        session = shapes.read_session(shapes.exact(answered))
        events = [event async for event in self._events(reach, key)]
        return Snapshot(key, digest_of(answered.value), Read(session, events, await self._name(reach, agent)))

    # ---- writing -----------------------------------------------------------------------------------------------------

    async def tend(self, reach: Reach, hook: Hook, *, first: bool) -> bool:
        return False

    async def send(self, reach: Reach, task: Task) -> str | None:
        path = _path(task.key)
        try:
            match task.action:
                case action if action == ENABLED:
                    await reach.tell("PATCH", path, {"enabled": task.value})
                case action if action == NAME:
                    await reach.tell("PATCH", path, {"name": task.value})
                case action if action == DESCRIPTION:
                    # An empty name stays empty; without one the platform would invent its own.
                    await reach.tell("PATCH", path, {"description": task.value or ""})
                case action if action == IDLE:
                    await reach.tell("PATCH", path, {"tti_minutes": task.value})
                case action if action == METADATA:
                    await self._metadata(reach, path, task)
                case action if action == HIDDEN:
                    verb = "hide" if task.value else "unhide"
                    await reach.tell("POST", f"{path}/events/{shapes.EVENT_PREFIX}{task.details['key']}/{verb}")
                case action if action == MESSAGE:
                    return await self._say(reach, path, task)
        except Refused as refused:
            if refused.status == 404 and task.action == ENABLED and not task.value:
                # It is deleted, which is as closed as possible.
                return None
            raise
        return None

    async def look(self, reach: Reach, task: Task) -> Looked:
        said, since = _said(task), task.details["created_at"] - _SKEW
        own = [
            event.key
            async for event in self._events(reach, task.key)
            if event.type == shapes.INPUT and event.created_at >= since and list(event.texts) == said
        ]
        return Looked(own, whole=True)

    async def _metadata(self, reach: Reach, path: str, task: Task) -> None:
        """Set the changes made here in the metadata, which can only be replaced as a whole. It is read first, so that
        changes made there are kept."""
        answered = (await reach.ask(path)).found()
        theirs = shapes.read_session(shapes.exact(answered)).metadata
        base = {} if task.confirmed is None else json_text.parse(task.confirmed)
        wanted = merged(base, json_text.parse(task.value), theirs)
        if canonical(wanted) != canonical(theirs):
            await reach.tell("PATCH", path, {"metadata": orjson.Fragment(json_text.write(wanted))})

    async def _say(self, reach: Reach, path: str, task: Task) -> str:
        said = _said(task)
        body = {"type": shapes.INPUT, "messages": [{"type": "text", "content": each} for each in said]}
        try:
            answered = await reach.tell("POST", f"{path}/events", body, slow=True)
        except Refused as refused:
            if refused.status != 409:
                raise
            # The agent is working on an earlier message.
            raise Unanswered(refused.reason, arrived=False, wait=_WHILE_RUNNING) from None
        listed = shapes.read_page(answered.value, "events")
        own = [each.key for each in map(shapes.read_event, listed.items) if each.type == shapes.INPUT]
        if not own:
            raise Unanswered("The other system does not say what it made.", arrived=True)
        return own[0]

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _events(self, reach: Reach, key: str) -> AsyncIterator[shapes.Event]:
        """All events, oldest first, hidden ones too: what was compacted has been said all the same."""
        page: str | None = None
        for _ in range(_MOST_PAGES):
            listed = await self._page(reach, f"{_path(key)}/events", "events", page, include_hidden="true")
            for each in listed.items:
                yield shapes.read_event(each)
            if (page := listed.after) is None:
                return
        raise Unanswered(f"The session has more than {_MOST_PAGES * _PAGE:,} events.", arrived=True)

    async def _page(self, reach: Reach, path: str, name: str, page: str | None, **query: str) -> shapes.Page:
        answered = await reach.ask(path, limit=_PAGE, **query, **_leads(page))
        return shapes.read_page(answered.found().value, name)

    async def _name(self, reach: Reach, agent: str) -> str:

        async def read() -> str:
            answered = await reach.ask(f"/v2/agents/{agent}")
            return agent if answered.status == 404 else shapes.read_agent(answered.value).name or agent

        return await self._names.get(reach, agent, read)


def _said(task: Task) -> list[str]:
    """What the customer said, in its parts. Raises Refused for a message that is not text."""
    contents = task.details["contents"]
    if any(each["type"] != "text" for each in contents):
        raise Refused("The other system accepts only text.")
    return [each["content"] for each in contents]


def _path(key: str) -> str:
    agent, session = key.split("/")
    return f"/v2/agents/{agent}/sessions/{session}"


def _leads(page: str | None) -> Mapping[str, str]:
    return {} if page is None else {"page_key": page}


def _wanted(reach: Reach) -> list[str] | None:
    """The agents that the setting `agents` names; None for all."""
    given = reach.settings.get("agents")
    return [str(each) for each in given] if isinstance(given, list) else None


def _place(cursor: str | None, begin: datetime) -> tuple[datetime, Mapping[str, str]]:
    """Since when runs are looked for, and the ones already listed from before."""
    if cursor is None:
        return begin, {}
    since, known = orjson.loads(cursor)
    return datetime.fromisoformat(since).astimezone(UTC), known


def _walked(at: str | None) -> tuple[list[str], str | None, str | None]:
    """The agents still to be walked, the page of the first one's sessions, and the page of agents after these."""
    if at is None:
        return [], None, None
    left, page, more = orjson.loads(at)
    return left, page, more


def _walk(left: list[str], page: str | None, more: str | None) -> str | None:
    return orjson.dumps([left, page, more]).decode() if left or more else None
