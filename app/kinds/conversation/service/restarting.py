"""How restarts, and their delivery, change a conversation's reply window."""

from typing import TYPE_CHECKING

from app.interactions.messages import Message, MessageStatus
from app.interactions.repository.messages import MessageRepository
from app.kinds.conversation.model.conversation import Conversation, restarted, with_restart

if TYPE_CHECKING:
    from app.storage.work import Work


def after_restart(work: "Work", conversation: Conversation, message: Message) -> Conversation:
    """The conversation after this stored restart message. A restart that failed changes nothing."""
    return _at_latest(work, with_restart(conversation, message.id))


def after_delivery(work: "Work", conversation: Conversation, message: Message) -> Conversation:
    """The conversation after the delivery of a message failed or turned out to have succeeded, or the message was
    deleted."""
    if message.id not in conversation.restart_message_ids:
        return conversation
    return _at_latest(work, conversation)


def _at_latest(work: "Work", conversation: Conversation) -> Conversation:
    """The conversation with the window of its latest restart that did not fail."""
    messages = work.use(MessageRepository)
    found = (messages.get(message_id) for message_id in reversed(conversation.restart_message_ids))
    stands = (message for message in found if message is not None and message.status is not MessageStatus.ERROR)
    latest = next(stands, None)
    return restarted(conversation, None if latest is None else latest.created_at)
