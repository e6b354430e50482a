"""Commands on channel agents."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import NotFound, require_version
from app.core.events import Event
from app.directory.model.checks import checked
from app.directory.service.editing import Ref, created, number
from app.kinds.conversation.events import ChannelAgentCreated, ChannelAgentUpdated
from app.kinds.conversation.model.channel_agent import CHANGEABLE, CREATABLE, ChannelAgent, ChannelAgentChanges
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.repository import ChannelAgentRepository

if TYPE_CHECKING:
    from app.storage.database import Work


def create_channel_agent(
    work: "Work", actor: Actor, values: Mapping[str, Any], *, idempotency_key: str | None = None
) -> ChannelAgent:
    """Create a channel agent from `channel`, `display_id`, `name` and, unless it is in sync, `in_sync`.

    Raises Forbidden, InvalidInput or TooLong for an invalid value, AlreadyExists when the channel already has the
    display id, KeyReused."""
    actor.require(f"{NAME}:write")
    agents = work.use(ChannelAgentRepository)

    def make() -> ChannelAgent:
        stored = agents.add(ChannelAgent(created_at=work.now, updated_at=work.now, **checked(values, CREATABLE)))
        _tell(work, actor, stored, ChannelAgentCreated(channel_agent_id=stored.id))
        return stored

    return created(work, actor, idempotency_key, {"create": "channel_agent", **values}, agents.get, make)


def update_channel_agent(
    work: "Work", actor: Actor, ref: Ref, given: ChannelAgentChanges, *, if_version: int | None = None
) -> ChannelAgent:
    """The channel agent after the changes.

    Raises Forbidden, NotFound, VersionConflict, and InvalidInput or TooLong for an invalid value."""
    actor.require(f"{NAME}:write")
    agents = work.use(ChannelAgentRepository)
    before = agents.get(number(ref, "cha"), for_update=True)
    if before is None:
        raise NotFound(f"There is no channel agent {ref}.", path=("id",))
    require_version(before.version, if_version)
    after = replace(before, **checked(given, CHANGEABLE))
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=work.now)
    agents.save(before, after)
    fields = [name for name in CHANGEABLE if getattr(before, name) != getattr(after, name)]
    _tell(work, actor, after, ChannelAgentUpdated(channel_agent_id=after.id, fields=fields))
    return after


def _tell(work: "Work", actor: Actor, agent: ChannelAgent, happened: Event) -> None:
    work.record(happened.record(kind=NAME, actor_id=actor.user_id or None, version=agent.version))
