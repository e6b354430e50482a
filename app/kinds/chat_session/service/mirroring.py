"""Sends a chat's commands to the system it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.connections.service.outbox import (
    latest_there,
    queue_creation,
    queue_value,
    sent_by,
)
from app.core.actor import Actor
from app.directory.repository import UserRepository
from app.interactions.meaning import InteractionEvent
from app.interactions.model import AnyCommand, Command
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.assigning import active_user
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES
from app.kinds.chat_session.model.session import ENDED, ChatSession, ChatSessionStatus
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.notices import with_rank

if TYPE_CHECKING:
    from app.storage.work import Work

STATUS, FIELD, MESSAGE = "STATUS", "FIELD", "MESSAGE"
PICK_UP, ASSIGN, RESET, TRANSFER, ACCEPT, REJECT, DELETE = (
    "PICK_UP",
    "ASSIGN",
    "RESET",
    "TRANSFER",
    "ACCEPT_TRANSFER",
    "REJECT_TRANSFER",
    "DELETE",
)
"""The actions: MESSAGE creates a message, all others set a value. Those of this line set the holder and the status."""

HANDING = frozenset({PICK_UP, ASSIGN, RESET, TRANSFER, ACCEPT, REJECT, DELETE})

FIELDS = (
    *LENGTHS,
    *REFERENCES,
    "customer_consented",
    "alert_level",
    "user_is_typing",
    "bot_active",
    "rating",
    "topic_id",
    "transfer_to_id",
)
"""The fields of a chat that are set one by one. The last two and `bot_active` also follow from other commands."""

_FOLLOWING = ("bot_active", "transfer_to_id")
_EDITS = (Command.UPDATE, Command.CLEAR_ATTENTION, ChatCommand.RATE)
_ACTIONS: Mapping[AnyCommand, str] = {
    Command.CLAIM: PICK_UP,
    ChatCommand.RESET: RESET,
    ChatCommand.TRANSFER: TRANSFER,
    ChatCommand.ACCEPT_TRANSFER: ACCEPT,
    ChatCommand.REJECT_TRANSFER: REJECT,
    Command.DELETE: DELETE,
}


def queue_changes(
    work: "Work",
    actor: Actor,
    before: ChatSession,
    after: ChatSession,
    command: AnyCommand,
    happened: InteractionEvent,
) -> None:
    """Queue the parts of a change made here that the other system has to be told."""
    sent = sent_by(work, happened)
    if sent is not None:
        queue_creation(work, actor, before.id, MESSAGE, latest_there(work, before.id), sent.id)
        return
    action = _handed(before, after, command)
    if action is not None:
        by = {"by": actor.user_id or None}
        queue_value(work, actor, before.id, action, {**_holding(after), **by}, {**_holding(before), **by})
    elif after.status is not before.status and command in (Command.UPDATE, Command.CLOSE, Command.REOPEN):
        queue_value(work, actor, before.id, STATUS, after.status.value, before.status.value)
    for name in FIELDS if command in _EDITS else ():
        if name not in _FOLLOWING or after.status is before.status:
            _queue_field(work, actor, before, after, name)
    if command is Command.RESUME_BOT:
        _queue_field(work, actor, before, after, "bot_active")
    elif action is None and command not in _EDITS and after.status is before.status:
        _queue_field(work, actor, before, after, "transfer_to_id")


def outgoing(
    work: "Work", chat: ChatSession, action: str, value: Any, message_id: int | None
) -> Mapping[str, object] | None:
    """What the other system needs in order to do the action. None when the action's message is deleted."""
    if action in HANDING:
        return {
            "by": _user(work, value.get("by")),
            "user": _user(work, value.get("user")),
            "to": _user(work, value.get("to")),
        }
    if action == FIELD and value["name"] == "topic_id":
        topic = work.use(ChatTopicRepository).get(value["value"])
        return {"topic": None if topic is None else topic.upstream_key}
    if action != MESSAGE:
        return {}
    message = None if message_id is None else work.use(MessageRepository).get(message_id)
    if message is None:
        return None
    author = _user(work, message.user_id)
    return {
        "text": message.text,
        "author": message.author_name or (None if author is None else author["name"]),
        "by": author,
        "special_type": message.special_type,
        "special_param": message.special_param,
    }


def restored(work: "Work", chat: ChatSession, action: str, value: Any, message_id: int | None) -> ChatSession:
    """The chat with an action's value set back, where it is not the present one."""
    if action == STATUS:
        return with_rank(work, brought(chat, ChatSessionStatus(value)))
    if action == FIELD:
        changed: dict[str, Any] = {value["name"]: value["value"]}
        return replace(chat, **changed)
    if action in HANDING:
        held = replace(
            brought(chat, ChatSessionStatus(value["status"])),
            assignee_id=active_user(work, value["user"]),
            transfer_to_id=value["to"],
            bot_active=value["bot"],
            claimed_until=None,
            answered_lease=None,
            lease_answer_id=None,
        )
        return with_rank(work, held)
    return chat


def brought(chat: ChatSession, status: ChatSessionStatus) -> ChatSession:
    """The chat in the status that it has in the other system, from any status."""
    if status is chat.status:
        return chat
    if status not in ENDED:
        return replace(chat, status=status, when_ended=None)
    return replace(
        chat,
        status=status,
        claimed_until=None,
        answered_lease=None,
        lease_answer_id=None,
        customer_is_typing=False,
        user_is_typing=False,
    )


def _handed(before: ChatSession, after: ChatSession, command: AnyCommand) -> str | None:
    """The action by which the chat changed its holder; None when it did not."""
    if command is Command.CLAIM and after.assignee_id == before.assignee_id:
        return None  # only a lease
    if command in _ACTIONS:
        return _ACTIONS[command]
    if after.assignee_id == before.assignee_id or command in (Command.RESUME_BOT, Command.UPDATE):
        return None
    return RESET if after.assignee_id is None else ASSIGN


def _holding(chat: ChatSession) -> dict[str, object]:
    return {
        "user": chat.assignee_id,
        "to": chat.transfer_to_id,
        "status": chat.status.value,
        "bot": chat.bot_active,
    }


def _queue_field(work: "Work", actor: Actor, before: ChatSession, after: ChatSession, name: str) -> None:
    was, is_now = getattr(before, name), getattr(after, name)
    if was != is_now:
        value, confirmed = {"name": name, "value": is_now}, {"name": name, "value": was}
        queue_value(work, actor, before.id, FIELD, value, confirmed, slot=f"{FIELD}:{name}")


def _user(work: "Work", user_id: object) -> Mapping[str, object] | None:
    user = work.use(UserRepository).get(user_id) if isinstance(user_id, int) else None
    return None if user is None else {"login": user.login, "name": user.name, "full_name": user.full_name}
