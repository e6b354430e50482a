"""Creates a chat from an entity: requests it, then updates it."""

from typing import Any, NamedTuple, cast

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.core.ids import GlobalId
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES
from app.kinds.chat_session.model.session import KIND, PREFIX, ChatSessionChanges, ChatSessionStatus
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.chat_session.service.requests import request_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from app.storage.idempotency import once
from app.storage.work import Work

_OF_CUSTOMER = (*LENGTHS, "customer_consented", *REFERENCES)
_FURTHER = ("status", "alert_level", "user_is_typing", "chatbot_is_active", "rating")
_UNSAID = (None, False, 0, ChatSessionStatus.INVALID)


class Created(NamedTuple):
    """The contract's number of a chat, and its session key; None for a repeated request."""

    chat_session_id: int
    session_key: str | None


def create_chat(work: Work, actor: Actor, entity: ChatSessionChanges, idempotency_key: str | None = None) -> Created:
    """Raises InvalidInput without a topic, KeyReused, and what requesting and updating a chat raise."""
    actor.require_writing(KIND)
    values = cast("dict[str, Any]", entity)
    topic_id = values.get("topic_id")
    if not topic_id:
        raise InvalidInput("A chat session needs its topic_id.", path=("topic_id",))
    further = {name: values[name] for name in _FURTHER if values.get(name) not in _UNSAID}
    session_key: str | None = None

    def make() -> int:
        nonlocal session_key
        given = {name: values[name] for name in _OF_CUSTOMER if name in values}
        made = request_chat_session(work, actor, topic_id, given)
        session_key = made.session_key
        if further:
            update_chat_session(work, actor, GlobalId(PREFIX, made.id), cast("ChatSessionChanges", further))
        return made.id

    # The whole entity is one request: a repeat that differs in anything is a different request.
    chat = work.use(ChatSessionRepository).load(once(work, actor, idempotency_key, ["createChatSession", values], make))
    if chat is None:
        raise NotFound("The chat session that this request created has been deleted.")
    return Created(chat.chat_session_id, session_key)
