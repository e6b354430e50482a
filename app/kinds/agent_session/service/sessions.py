"""Commands on AgentSessions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core import json_text
from app.core.actor import Actor
from app.core.errors import AlreadyExists, Disabled, InvalidInput, NotFound, NotSupported
from app.core.ids import GlobalId, require_id
from app.core.sight import sees_some
from app.directory.events import CustomerCreated
from app.directory.model import Customer
from app.directory.model.checks import checked
from app.directory.repository import CustomerRepository
from app.directory.service.editing import Ref, tell
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.service.change import begin, is_seen, load, open_interaction, remove, write
from app.interactions.service.deliveries import change_message
from app.interactions.service.messages import Posted, receive_message, send_message
from app.kinds.agent_session import model
from app.kinds.agent_session.events import MessageHidden, MessageShown
from app.kinds.agent_session.model import AgentSession, AgentSessionChanges, AiAgent
from app.kinds.agent_session.model.agent import key as checked_key
from app.kinds.agent_session.repository import AgentSessionRepository, AiAgentRepository
from app.kinds.agent_session.service.mirroring import switched, with_customer
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work


class Keys(NamedTuple):
    """The two keys by which the contract names a session."""

    agent_key: str
    agent_session_key: str


def create(
    work: "Work",
    actor: Actor,
    agent_key: str,
    given: AgentSessionChanges,
    *,
    agent_session_key: str | None = None,
    idempotency_key: str | None = None,
) -> AgentSession:
    """Create a session of the agent. Its key is made when none is given. The key is also its name when that is not
    given.

    `metadata.customer_id` is its customer's key. An unknown customer is created. Raises Forbidden, NotFound for the
    agent, Disabled for one that is switched off, NotSupported for one of a connected system, InvalidInput, TooLong,
    AlreadyExists for a key that the agent's sessions have, KeyReused."""
    actor.require_writing(model.NAME)
    if agent_session_key is not None:
        agent_session_key = checked_key(agent_session_key, ("agent_session_key",))

    secrets = model.merged_secrets({}, given.get("secrets"))

    def make() -> int:
        agent = _agent(work, agent_key)
        values = checked({name: value for name, value in given.items() if name != "secrets"}, model.SESSION_CHECKS)
        key = agent_session_key or work.ids.key("ase")
        values.setdefault("name", key)
        if work.use(AgentSessionRepository).id_by_keys(agent.agent_key, key) is not None:
            raise AlreadyExists("The agent has a session with this key.", path=("agent_session_key",))
        return _open(work, actor, agent, key, secrets=secrets, **values).id

    # A digest of a request with secrets would reveal something about them.
    named = {name: value for name, value in given.items() if name != "secrets"}
    request = ["createAgentSession", agent_key, agent_session_key, named, sorted(secrets)]
    number = once(work, actor, idempotency_key, request, make)
    return load(work, actor, GlobalId(model.PREFIX, number))  # type: ignore[no-any-return]


def update(
    work: "Work", actor: Actor, which: Ref | Keys, changes: AgentSessionChanges, *, if_version: int | None = None
) -> AgentSession:
    """Change a session. Metadata is replaced as a whole, secrets are merged.

    Metadata that names another customer than before moves the session to that customer. Raises NotFound, Forbidden,
    InvalidInput, TooLong, VersionConflict, NotSupported for the secrets of a session of a connected system: they are
    not stored, so they cannot be passed on."""
    ref = _ref(work, actor, which)
    before: AgentSession = begin(work, actor, ref, Command.UPDATE, if_version=if_version)
    values = checked({name: value for name, value in changes.items() if name != "secrets"}, model.SESSION_CHECKS)
    after = replace(before, **values)
    if "secrets" in changes:
        if before.cannot is not None:
            raise NotSupported(
                "This AgentSession belongs to a connected system. Set its secrets there.", path=("secrets",)
            )
        after = replace(after, secrets=model.merged_secrets(before.secrets, changes["secrets"]))
    if "enabled" in values:
        after = switched(after, enabled=after.enabled)
    named = model.customer_key_of(after.metadata)
    if named != model.customer_key_of(before.metadata):
        moved = with_customer(work, after) if before.mirrored else None
        after = moved or replace(after, customer_id=_customer(work, actor, named))
    return write(work, actor, before, after, Command.UPDATE)


def delete(work: "Work", actor: Actor, which: Ref | Keys, *, if_version: int | None = None) -> AgentSession:
    """Delete a session with its events for good. Returns what it was. Raises NotFound, Forbidden, VersionConflict."""
    return remove(work, actor, _ref(work, actor, which), if_version=if_version)  # type: ignore[no-any-return]


def post_event(
    work: "Work",
    actor: Actor,
    keys: Keys,
    contents: Sequence[Mapping[str, Any]],
    *,
    by_agent: bool = False,
    idempotency_key: str | None = None,
) -> Posted:
    """Add what the customer said in the session, in one or more contents; with `by_agent`, one answer of its agent.

    Raises NotFound, and the errors of `receive_message` or `send_message`: Disabled for one that is switched off."""
    ref = _ref(work, actor, keys)
    if by_agent:
        (content,) = contents
        author = MessageAuthor.AI_AGENT
        return send_message(work, actor, ref, content, author=author, idempotency_key=idempotency_key)
    return receive_message(work, actor, {"interaction": ref}, contents, idempotency_key=idempotency_key)


def hide_event(work: "Work", actor: Actor, message_ref: GlobalId, *, hidden: bool) -> Posted:
    """Hide a message from the agent, or show it again. Raises NotFound, and the errors of `begin`."""
    happened = MessageHidden if hidden else MessageShown
    return change_message(
        work, actor, message_ref, Command.UPDATE, lambda message: replace(message, hidden=hidden), happened
    )


def open_for_customer(work: "Work", actor: Actor, customer_id: int, agent_key: str) -> AgentSession:
    """The customer's latest enabled session with the agent; a new one when there is none.

    Raises Forbidden, NotFound for customer or agent, Disabled for an agent that is switched off, NotSupported where a
    new one would belong to a connected system."""
    actor.require_writing(model.NAME)
    agent = _agent(work, agent_key)
    sessions = work.use(AgentSessionRepository)
    found = sessions.latest_enabled(agent.id, customer_id)
    if found is not None:
        return found
    # Two messages at the same moment must not open two sessions: after locking the customer, the unit looks again.
    customer = work.use(CustomerRepository).get(customer_id, for_update=True)
    if customer is None:
        raise NotFound("There is no such customer.", path=("customer_id",))
    found = sessions.latest_enabled(agent.id, customer_id)
    if found is not None:
        return found
    key = work.ids.key("ase")
    metadata = json_text.write({"customer_id": customer.customer_key})
    return _open(work, actor, agent, key, name=key, metadata=metadata, customer_id=customer_id)


def _open(
    work: "Work",
    actor: Actor,
    agent: AiAgent,
    key: str,
    *,
    customer_id: int | None = None,
    **values: Any,
) -> AgentSession:
    if customer_id is None:
        customer_id = _customer(work, actor, model.customer_key_of(values.get("metadata", "{}")))
    new = AgentSession(
        id=0,
        customer_id=customer_id,
        agent_id=agent.id,
        agent_key=agent.agent_key,
        agent_session_key=key,
        created_at=work.now,
        updated_at=work.now,
        **values,
    )
    opened = switched(new, enabled=new.enabled)
    return open_interaction(work, actor, opened, work.use(AgentSessionRepository).add)


def _agent(work: "Work", agent_key: str) -> AiAgent:
    agent = work.use(AiAgentRepository).get_by_key(agent_key)
    if agent is None:
        raise NotFound("There is no AI agent with this key.", path=("agent_key",))
    if agent.connection_id is not None:
        raise NotSupported(
            "This AI agent belongs to a connected system. Create its sessions there.", path=("agent_key",)
        )
    if not agent.enabled:
        raise Disabled("This AI agent is disabled and takes no sessions.", path=("agent_key",))
    return agent


def _ref(work: "Work", actor: Actor, which: Ref | Keys) -> GlobalId:
    if not isinstance(which, Keys):
        return require_id(str(which), model.PREFIX)
    number = work.use(AgentSessionRepository).id_by_keys(*which)
    ref = None if number is None else GlobalId(model.PREFIX, number)
    if ref is not None and is_seen(work, actor, ref, model.NAME):
        return ref
    if sees_some(actor.viewer.permissions, model.NAME) and _unknown(work, which.agent_key):
        raise NotFound("There is no AI agent with this key.", path=("agent_key",))
    raise NotFound("There is no session with these keys.", path=("agent_session_key",))


def _unknown(work: "Work", agent_key: str) -> bool:
    return work.use(AiAgentRepository).get_by_key(agent_key) is None


def _customer(work: "Work", actor: Actor, customer_key: str | None) -> int | None:
    if customer_key is None:
        return None
    customers = work.use(CustomerRepository)
    found = customers.get_by_key(customer_key)
    if found is not None:
        return found.id
    new = Customer(
        id=0,
        customer_key=customer_key,
        system=model.SYSTEM,
        created_at=work.now,
        updated_at=work.now,
    )
    try:
        # Another unit may create the same customer at the same moment. Then only the insert is undone.
        with work.connection.begin_nested():
            stored = customers.add(new)
    except AlreadyExists:
        found = customers.get_by_key(customer_key)
        if found is None:
            raise
        return found.id
    tell(work, actor, CustomerCreated(), stored)
    return stored.id


def exactly_one(ref: str | None, keys: Mapping[str, str | None]) -> Ref | Keys:
    """Which session a caller means: by `id`, or by both contract keys. Raises InvalidInput for neither and both."""
    agent_key, agent_session_key = keys.get("agent_key"), keys.get("agent_session_key")
    if ref is not None and agent_key is None and agent_session_key is None:
        return ref
    if ref is None and agent_key is not None and agent_session_key is not None:
        return Keys(agent_key, agent_session_key)
    raise InvalidInput("Give either id, or agentKey and agentSessionKey.", path=("id",))
