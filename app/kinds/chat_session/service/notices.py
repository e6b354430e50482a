"""Messages that chat commands add, and the rank they may bring."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.interactions.messages import Message, MessageAuthor
from app.interactions.service.messages import post
from app.kinds.chat_session.model.session import ChatMessageSpecialType, ChatMessageType, ChatSession
from app.kinds.chat_session.model.transitions import picked_up, ranked
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository

if TYPE_CHECKING:
    from app.storage.work import Work


def notice(work: "Work", actor: Actor, session: ChatSession, special: ChatMessageSpecialType, text: str) -> ChatSession:
    """The chat with a special message that says what happened. Another system adds such messages itself."""
    if session.cannot is not None:
        return session
    fields = {"message_type": ChatMessageType.SPECIAL.value, "special_type": special.value, "author_name": actor.name}
    return post(work, actor, session, [{"type": "text", "content": text}], fields=fields)[0]


def closing(work: "Work", actor: Actor, session: ChatSession) -> ChatSession:
    """The chat that was just closed, with the notice of who closed it."""
    text = f"{actor.name} closed the chat."
    return with_rank(work, notice(work, actor, session, ChatMessageSpecialType.CLOSED_BY_USER, text))


def started(work: "Work", actor: Actor, session: ChatSession, user_id: int) -> ChatSession:
    """The chat picked up for the user, with the topic's welcome message if it has one. Another system adds its own."""
    topic = work.use(ChatTopicRepository).get(session.topic_id)
    text = None if topic is None or session.cannot is not None else topic.welcome_message
    # The user is locked for the rank before the message refers to it.
    session = with_rank(work, picked_up(session, user_id, work.now, welcomed=bool(text)))
    if not text:
        return session
    fields = {
        "message_type": ChatMessageType.TO_CUSTOMER.value,
        "special_type": ChatMessageSpecialType.WELCOME.value,
        "author_name": actor.name if user_id == actor.user_id else None,
        "user_id": user_id,
    }
    return post(work, actor, session, [{"type": "text", "content": text}], fields=fields)[0]


def with_rank(work: "Work", session: ChatSession) -> ChatSession:
    """The chat with its rank among its holder's active chats. The holder is locked while the rank is chosen."""
    return ranked(session, work.use(ChatSessionRepository).lock_ranks)


def typed(message: Message) -> Message:
    """A message to the customer with the contract's types, where the sender did not give them."""
    special = ChatMessageSpecialType.BOT_MESSAGE if message.author is MessageAuthor.BOT else ChatMessageSpecialType.NONE
    return replace(
        message,
        message_type=message.message_type or ChatMessageType.TO_CUSTOMER.value,
        special_type=message.special_type or special.value,
        read_by_customer=bool(message.read_by_customer),
    )
