"""Commands on one chat: update, rate, delete, mark as read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import InvalidTransition, NotFound
from app.core.ids import GlobalId
from app.interactions.model import Command
from app.interactions.service.change import begin, is_seen, require_allowed, write
from app.kinds.chat_session.events import Fetched, Rated
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES, check_int, check_reference, check_session
from app.kinds.chat_session.model.refusals import may_respond, refusal
from app.kinds.chat_session.model.session import (
    KIND,
    MASK,
    PREFIX,
    ChatSession,
    ChatSessionChanges,
    ChatSessionStatus,
)
from app.kinds.chat_session.model.transitions import ended, moved
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.notices import closing, with_rank
from app.kinds.chat_session.service.requests import require_session_key

if TYPE_CHECKING:
    from app.storage.work import Work

_PLAIN = (*LENGTHS, "customer_consented", "alert_level", "customer_is_typing", "user_is_typing", "rating")
_CLOSED = frozenset({ChatSessionStatus.CLOSED, ChatSessionStatus.CLOSED_FROM_QUEUE})
_WAITING = frozenset({ChatSessionStatus.IN_QUEUE, ChatSessionStatus.OFFLINE_FORM})


def update_chat_session(
    work: "Work", actor: Actor, ref: GlobalId, changes: ChatSessionChanges, *, if_version: int | None = None
) -> ChatSession:
    """Change the fields that `changes` names. A status follows the state machine, with all its consequences.

    A masked session key, and the chat's own, is ignored. Raises InvalidInput and TooLong with the field's path,
    InvalidTransition for a status the chat cannot move to, for a bot beside the user who handles it and for a rating
    before it started, AlreadyClaimed for an actor who would take a chat from its holder, NotFound for the topic, and
    the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, Command.UPDATE, if_version=if_version)
    after = _with_fields(work, actor, before, changes)
    status = changes.get("status")
    if status is not None and status is not before.status:
        _require_free_to_move(work, actor, before, status)
        after = moved(after, status, work.now)
    if after.bot_active and not before.bot_active and after.assignee_id is not None:
        raise InvalidTransition("A user handles the chat; hand it back to the bot.", path=("chatbot_is_active",))
    closes = after.status is not before.status and after.status in _CLOSED
    after = closing(work, actor, after) if closes else with_rank(work, after)
    return write(work, actor, before, after, Command.UPDATE)


def rate_chat_session(
    work: "Work", actor: Actor, ref: GlobalId, rating: int, *, if_version: int | None = None
) -> ChatSession:
    """Store the customer's rating, an int32 (the contract names no range).

    Raises InvalidTransition for a chat that no user accepted, InvalidInput, and the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.RATE, if_version=if_version)
    check_int("rating", rating)
    return write(work, actor, before, replace(before, rating=rating), ChatCommand.RATE, Rated())


def delete_chat_session(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> ChatSession:
    """Mark the chat as deleted; it is erased a day later. Raises the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, Command.DELETE, if_version=if_version)
    after = with_rank(work, ended(before, ChatSessionStatus.DELETED, work.now))
    return write(work, actor, before, after, Command.DELETE)


def find_chat(work: "Work", actor: Actor, chat_session_id: int) -> GlobalId | None:
    """The id of the chat with the contract's own number; None when the actor may see no chats."""
    found = work.use(ChatSessionRepository).id_of_key(chat_session_id)
    ref = None if found is None else GlobalId(PREFIX, found)
    return ref if ref is not None and is_seen(work, actor, ref, KIND) else None


def mark_fetched(work: "Work", actor: Actor, ref: GlobalId, *, session_key: str | None = None) -> ChatSession:
    """Record that the customer's side has read the chat. This is not an edit, so the version stays.

    Raises InvalidInput for a session key that is not the chat's, and the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, Command.MARK_READ)
    if session_key is not None:
        require_session_key(before, session_key)
    work.use(ChatSessionRepository).mark_fetched(before.id, work.now)
    return write(work, actor, before, replace(before, when_fetched=work.now), Command.MARK_READ, Fetched())


def _with_fields(work: "Work", actor: Actor, before: ChatSession, changes: ChatSessionChanges) -> ChatSession:
    check_session(changes)
    values: dict[str, Any] = {name: changes[name] for name in _PLAIN if name in changes}  # type: ignore[literal-required]
    for name in REFERENCES:
        if name in changes:
            values[name] = check_reference(name, changes[name])  # type: ignore[literal-required]
    if "chatbot_is_active" in changes:
        values["bot_active"] = changes["chatbot_is_active"]
    if "topic_id" in changes:
        values |= _of_topic(work, changes["topic_id"])
        if before.transfer_to_id is not None and not may_respond(values["responders"], before.transfer_to_id):
            values["transfer_to_id"] = None
    session_key = changes.get("session_key")
    if session_key is not None and session_key != MASK:
        require_session_key(before, session_key)
    if values.get("rating", before.rating) != before.rating:
        require_allowed(work, refusal(ChatCommand.RATE, before, actor, work.now), "rating")
    return replace(before, **values)


def _of_topic(work: "Work", topic_id: int) -> Mapping[str, Any]:
    topics = work.use(ChatTopicRepository)
    topic = topics.get_by_key(topic_id)
    if topic is None:
        raise NotFound(f"There is no chat topic {topic_id}.", path=("topic_id",))
    responders = tuple(member.user_id for member in topics.members(topic.id) if member.can_respond)
    return {"topic_id": topic.id, "responders": responders}


def _require_free_to_move(work: "Work", actor: Actor, before: ChatSession, status: ChatSessionStatus) -> None:
    if status in _WAITING and before.assignee_id is not None:
        require_allowed(work, refusal(ChatCommand.RESET, before, actor, work.now), "status")
