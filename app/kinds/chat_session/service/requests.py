"""New chats: a customer requests one, its topic decides the start."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.directory.repository import CustomerRepository
from app.interactions.service.change import open_interaction
from app.kinds.chat_session.events import Requested as ChatRequested
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES, check_reference, check_session
from app.kinds.chat_session.model.session import KIND, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatTopic, beginning
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work


class Requested(NamedTuple):
    """A new chat with its session key, which cannot be read again."""

    session: ChatSession
    session_key: str


class Request(NamedTuple):
    """A chat's surrogate, and its session key for the first request; None for a repeated one."""

    id: int
    session_key: str | None


def request_chat_session(
    work: "Work",
    actor: Actor,
    topic_id: int,
    given: Mapping[str, Any],
    *,
    customer_id: int | None = None,
    idempotency_key: str | None = None,
) -> Request:
    """Begin a chat in the topic with the contract's number `topic_id`.

    `given` contains what the customer said: the customer's fields and the references of `ChatSessionChanges`. Raises
    Forbidden, NotFound for the topic, InvalidInput and TooLong with the field's path, KeyReused."""
    actor.require_writing(KIND)
    topic = work.use(ChatTopicRepository).get_by_key(topic_id)
    if topic is None:
        raise NotFound(f"There is no chat topic {topic_id}.", path=("topic_id",))
    if customer_id is not None and work.use(CustomerRepository).get(customer_id) is None:
        raise NotFound("There is no such customer.", path=("customer_id",))
    key: str | None = None

    def begin() -> int:
        nonlocal key
        opened = open_chat(work, actor, topic, given, customer_id=customer_id)
        key = opened.session_key
        return opened.session.id

    request = ["requestChatSession", topic_id, dict(given), customer_id]
    return Request(once(work, actor, idempotency_key, request, begin), key)


def open_chat(
    work: "Work",
    actor: Actor,
    topic: ChatTopic,
    given: Mapping[str, Any],
    *,
    customer_id: int | None,
    imported: bool = False,
) -> Requested:
    """A new chat of the topic, in the status that the topic decides; an `imported` chat has already ended.

    Raises Forbidden, InvalidInput, TooLong."""
    check_session(given)
    key = secrets.token_urlsafe(32)
    fields: dict[str, Any] = {name: check_reference(name, given.get(name)) for name in REFERENCES}
    for name in (*LENGTHS, "customer_consented"):
        if given.get(name) is not None:
            fields[name] = given[name]
    sessions, topics = work.use(ChatSessionRepository), work.use(ChatTopicRepository)
    # Locked until the unit ends, so that two requests never count the same queue.
    if not topics.lock(topic.id):
        raise NotFound(f"There is no chat topic {topic.topic_id} any more.", path=("topic_id",))
    status, bot_active = (ChatSessionStatus.CLOSED, False) if imported else beginning(topic, work.now)
    new = ChatSession(
        id=0,
        customer_id=customer_id,
        chat_session_id=0,
        topic_id=topic.id,
        status=status,
        bot_active=bot_active,
        session_key_digest=digest(key),
        initial_queue_pos=sessions.count_pending(topic.id) + 1,
        when_requested=work.now,
        when_ended=work.now if imported else None,
        created_at=work.now,
        updated_at=work.now,
        **fields,
    )
    return Requested(open_interaction(work, actor, new, sessions.add, ChatRequested()), key)


def digest(session_key: str) -> str:
    """The stored digest of a session key. The key is random enough to need no salt."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def require_session_key(session: ChatSession, session_key: str) -> None:
    """Raise InvalidInput unless this is the chat's session key."""
    if not hmac.compare_digest(digest(session_key), session.session_key_digest):
        raise InvalidInput("This is not the chat's session key.", path=("session_key",))
