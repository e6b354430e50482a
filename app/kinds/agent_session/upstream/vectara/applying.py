"""Updates AgentSessions here from what the platform has."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.connections.model import PREFIX as CONNECTION_PREFIX
from app.connections.model.settings import page_of
from app.connections.repository import MirroredRepository
from app.connections.service.outbox import overtaken
from app.connections.service.taking import Taking
from app.core import json_text
from app.core.actor import CONNECTION
from app.core.errors import AlreadyExists
from app.core.ids import GlobalId
from app.directory.model.checks import checked
from app.interactions.connector import Mapped, Settings, Unmappable
from app.interactions.contents import plain_text
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.remote import Kept
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import load, open_interaction, write
from app.interactions.service.recorded import Elsewhere
from app.kinds.agent_session.events import AiAgentCreated, AiAgentUpdated
from app.kinds.agent_session.model import (
    NAME,
    PREFIX,
    SESSION_CHECKS,
    AgentSession,
    AiAgent,
    Status,
    canonical,
)
from app.kinds.agent_session.model.session import MASK
from app.kinds.agent_session.repository import AgentSessionRepository, AiAgentRepository
from app.kinds.agent_session.service import mirroring
from app.kinds.agent_session.upstream.vectara import shapes
from app.kinds.agent_session.upstream.vectara.client import Read

if TYPE_CHECKING:
    from app.storage.work import Work

_LONGEST_KEY = 50
_SOONEST, _LATEST = timedelta(seconds=5), timedelta(minutes=10)


def apply_read(work: "Work", connection_id: int, settings: Settings, read: Read, kept: Kept) -> Mapped | None:
    """Update our session from what was read. None when all of it was erased here. See `Remote.apply`."""
    there = read.session
    events = [each for each in read.events if each.author is not None]
    if kept.forgotten_at is not None:
        forgotten_at = kept.forgotten_at
        events = [each for each in events if each.created_at > forgotten_at]
        if not events:
            return None
    key = f"{there.agent_key}/{there.key}"
    agent = _agent(work, connection_id, there.agent_key, read.agent_name)
    ref = _session(work, connection_id, key, agent, there)
    shared = kept.shared
    taking = Taking(work, ref)
    new = _new(work, taking, ref, agent, events)
    asking = _asking(there, events, kept.live_since)
    if mirroring.ENABLED in shared and any(
        each.author is MessageAuthor.CUSTOMER and each.key in asking for each in new
    ):
        # The customer has written since it was closed or opened here, which that command did not know.
        overtaken(work, ref.number, mirroring.ENABLED)
        shared = shared - {mirroring.ENABLED}
    _bring(work, connection_id, ref, there, shared, closes=False)
    for event in new:
        _take(taking, event, asks=event.key in asking)
    taking.finish()
    _bring(work, connection_id, ref, there, shared, closes=True)
    return Mapped(ref.number, key, _url(settings, there), _again(there, read.events, work.now))


def _asking(there: shapes.Session, events: list[shapes.Event], live_since: datetime) -> frozenset[str]:
    """The keys of the messages that may ask for a human: those since the connection, and earlier ones that the agent is
    still working on. A closed session has none."""
    if not there.enabled:
        return frozenset()
    answered = max((at for at, each in enumerate(events) if each.author is MessageAuthor.AI_AGENT), default=-1)
    runs = there.stored_status is Status.RUNNING
    return frozenset(
        each.key for at, each in enumerate(events) if each.created_at >= live_since or (runs and at > answered)
    )


def _new(work: "Work", taking: Taking, ref: GlobalId, agent: AiAgent, events: list[shapes.Event]) -> list[shapes.Event]:
    """The events that have never been here. Raises Unmappable when another session has an event with the id of one."""
    messages, channel = work.use(MessageRepository), _channel(agent)
    latest = frozenset(messages.latest_keys(ref.number))
    unknown = taking.new(channel, [each.key for each in events])
    for each in events:
        found = None if each.key in unknown or each.key in latest else messages.get_by_key(channel, each.key)
        if found is not None and found.interaction_id != ref.number:
            raise Unmappable("Two sessions have an event of one id.")
    return [each for each in events if each.key in unknown]


def _take(taking: Taking, event: shapes.Event, *, asks: bool) -> None:
    """Store what was said."""
    author = event.author
    assert author is not None
    contents = [{"type": "text", "content": each} for each in event.texts]
    if author is MessageAuthor.AI_AGENT:
        contents = [{"type": "text", "content": "\n".join(event.texts)}]
    elif taking.is_ours(plain_text(contents), event.key):
        return
    elsewhere = Elsewhere(key=event.key, author=author, sent_at=event.created_at, event_type=event.type)
    taking.take(contents, elsewhere, asks=asks)


def _bring(
    work: "Work", connection_id: int, ref: GlobalId, there: shapes.Session, shared: frozenset[str], *, closes: bool
) -> None:
    """Set the fields to those of the other system, the shared ones only while no write of them is pending. The session
    is opened before its messages are stored, and closed after that."""
    before: AgentSession = load(work, CONNECTION, ref)
    if not closes and (mirroring.ENABLED in shared or not there.enabled or before.enabled):
        return
    given = {name: value for name, value in _fields(there).items() if name.upper() not in shared}
    values = checked(given, SESSION_CHECKS)
    if "metadata" in values and canonical(there.metadata) == canonical(json_text.parse(before.metadata)):
        del values["metadata"]
    after = replace(before, **values, **_of_platform(there))
    if "metadata" in values:
        after = replace(after, customer_id=mirroring.customer_of(work, connection_id, after.metadata))
    if after.enabled != before.enabled:
        after = mirroring.switched(after, enabled=after.enabled)
    write(work, CONNECTION, before, after, Command.UPDATE)


def _session(work: "Work", connection_id: int, key: str, agent: AiAgent, there: shapes.Session) -> GlobalId:
    sessions = work.use(AgentSessionRepository)
    number = sessions.id_by_keys(agent.agent_key, there.key)
    if number is None:
        values = checked(_fields(there), SESSION_CHECKS)
        new = AgentSession(
            id=0,
            customer_id=mirroring.customer_of(work, connection_id, values["metadata"]),
            agent_id=agent.id,
            agent_key=agent.agent_key,
            agent_session_key=there.key,
            created_at=min(there.created_at, work.now),
            updated_at=work.now,
            mirrored=True,
            **values,
            **_of_platform(there),
        )
        opened = mirroring.switched(new, enabled=new.enabled)
        number = open_interaction(work, CONNECTION, opened, sessions.add).id
        work.use(MirroredRepository).note(number, connection_id, key, work.now)
    return GlobalId(PREFIX, number)


def _fields(there: shapes.Session) -> dict[str, Any]:
    """The fields that can be changed here too."""
    return {
        "name": there.stored_name,
        "description": there.stored_description,
        "metadata": json_text.write(there.metadata),
        "enabled": there.enabled,
        "tti_minutes": there.tti_minutes,
    }


def _of_platform(there: shapes.Session) -> dict[str, Any]:
    """The fields that only the platform changes."""
    usage, compaction = there.session_context_usage, there.effective_compaction
    return {
        "status": there.stored_status,
        "current_step_name": there.current_step_name,
        "session_context_usage": None if usage is None else json_text.plain(usage),
        "effective_compaction": None if compaction is None else json_text.plain(compaction),
        "created_by_agent_key": there.created_by_agent_key,
        "created_by_session_key": there.created_by_session_key,
        "alias_key": there.alias_key,
        "secrets": dict.fromkeys(sorted(there.secrets), MASK),
    }


def _agent(work: "Work", connection_id: int, key: str, name: str) -> AiAgent:
    """The agent with this key there, created or updated here. Raises Unmappable when one of our own agents has its
    key."""
    agents, ours = work.use(AiAgentRepository), _agent_key(connection_id, key)
    name = " ".join(name.split())[:255] or key
    found = agents.get_by_key(ours)
    if found is None:
        new = AiAgent(
            id=0, agent_key=ours, name=name, connection_id=connection_id, created_at=work.now, updated_at=work.now
        )
        try:
            # Another of its sessions may create the agent at the same moment. Then only the insert is undone.
            with work.connection.begin_nested():
                stored = agents.add(new)
        except AlreadyExists:
            found = agents.get_by_key(ours)
            if found is None:
                raise
        else:
            work.record(AiAgentCreated(ai_agent_id=stored.id).record(kind=NAME, version=stored.version))
            return stored
    if found.connection_id != connection_id:
        raise Unmappable(f"An AI agent of Switchboard's own has the key {ours}.")
    if found.name == name:
        return found
    renamed = replace(found, name=name, updated_at=work.now, version=found.version + 1)
    agents.save(found, renamed)
    told = AiAgentUpdated(ai_agent_id=found.id, changed=["name"])
    work.record(told.record(kind=NAME, version=renamed.version))
    return renamed


def _agent_key(connection_id: int, key: str) -> str:
    """Our key for an agent of the connection: two accounts may have agents with the same key."""
    found = f"{CONNECTION_PREFIX}_{connection_id}-{key}"
    if len(found) <= _LONGEST_KEY:
        return found
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{found[: _LONGEST_KEY - 9]}-{digest}"


def _channel(agent: AiAgent) -> str:
    return str(GlobalId("aia", agent.id))


def _again(there: shapes.Session, events: list[shapes.Event], now: datetime) -> timedelta | None:
    """After how long a session whose agent is working is read again. The longer nothing has happened, the later."""
    if there.stored_status is not Status.RUNNING:
        return None
    latest = max((each.created_at for each in events), default=there.created_at)
    return min(max((now - latest) / 4, _SOONEST), _LATEST)


def _url(settings: Settings, there: shapes.Session) -> str | None:
    """The URL where people see the session, if the setting `page` is set."""
    found = page_of(settings, there.key)
    return None if found is None else found.replace("{agent}", there.agent_key)
