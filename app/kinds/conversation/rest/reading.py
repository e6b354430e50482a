"""Reads and wire format of conversations, messages and notes."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.kinds.conversation.rest import answers
from app.kinds.conversation.rest.contents import CONTENTS, contents
from app.kinds.conversation.rest.people import AGENT, CUSTOMER, USER, agent, customer, user
from app.kinds.conversation.rest.values import seconds, word
from app.rest import Pick, leaf, one, root
from app.selection.tree import Field


def _leaves(*names: str) -> tuple[Field, ...]:
    return tuple(map(leaf, names))


_ERROR = _leaves("errorId", "messageId", "type", "originalMessage", "createdAt")
_OWN = (
    *_leaves("messageId", "author", "source", "userId"),
    CONTENTS,
    *_leaves("status", "agentReaction", "customerReaction", "sentAt"),
    one("latestError", "MessageError", _ERROR),
    one("campaign", "Campaign", _leaves("campaignId", "name")),
)
_MESSAGE = (*_OWN, one("reference", "Message", _OWN))
_NOTE = _leaves("noteId", "text", "createdAt", "updatedAt")
_CONVERSATION = (
    *_leaves("conversationId", "createdAt", "channel", "status", "snoozeUntil"),
    one("channelAgent", "ChannelAgent", AGENT),
    one("customer", "Customer", CUSTOMER),
    one("user", "User", USER),
    one("latestMessage", "Message", _MESSAGE),
    one("latestCustomerMessage", "Message", _MESSAGE),
    leaf("lastCustomerReplyFrom"),
    one("latestNote", "Note", _NOTE),
    *_leaves("unreadCustomerMessagesCount", "replyUntil", "replyPossible", "customerInteractionRequired"),
)
_PAGE: Mapping[str, Any] = {"limit": Pick("limit"), "offset": Pick("offset")}
_OF: Mapping[str, Any] = {"conversation_id": Pick("conversation_id")}


def _page(name: str, type_name: str, fields: Iterable[Field], **arguments: Any) -> Field:
    read = f"ConversationContract{name.capitalize()}"
    return one(
        read[0].lower() + read[1:], read, (one(name, type_name, tuple(fields)), leaf("total")), **_PAGE, **arguments
    )


GET_CONVERSATION = root(one("conversation", "Conversation", _CONVERSATION, **_OF))
LIST_CONVERSATIONS = root(_page("conversations", "Conversation", _CONVERSATION))
GET_MESSAGE = root(one("conversationContractMessage", "Message", _MESSAGE, **_OF, id=Pick("id")))
LIST_MESSAGES = root(_page("messages", "Message", _MESSAGE, **_OF))
GET_ERROR = root(
    one(
        "conversationContractError",
        "ConversationContractError",
        (one("error", "MessageError", _ERROR),),
        **_OF,
        message_id=Pick("message_id"),
        id=Pick("id"),
    )
)
GET_NOTE = root(one("conversationContractNote", "Note", _NOTE, **_OF, id=Pick("id")))
LIST_NOTES = root(_page("notes", "Note", _NOTE, **_OF))


def conversation(found: Mapping[str, Any]) -> dict[str, object]:
    """A conversation; without `user` while nobody is assigned."""
    key = found["conversationId"]
    shown = {
        "id": key,
        "created_at": seconds(found["createdAt"]),
        "channel": word(found["channel"]),
        "status": word(found["status"]),
        "snooze_until": seconds(found["snoozeUntil"]),
        "agent": agent(found["channelAgent"]),
        "customer": None if found["customer"] is None else customer(found["customer"]),
        "user": None if found["user"] is None else user(found["user"]),
    }
    return {name: value for name, value in shown.items() if value is not None or name == "snooze_until"} | {
        "latest_message": _message_or_none(found["latestMessage"], key),
        "latest_customer_message": _message_or_none(found["latestCustomerMessage"], key),
        "last_customer_reply_from": seconds(found["lastCustomerReplyFrom"]),
        "latest_note": None if found["latestNote"] is None else note(found["latestNote"], key),
        "unread_customer_messages_count": found["unreadCustomerMessagesCount"],
        "reply_until": seconds(found["replyUntil"]),
        "reply_possible": found["replyPossible"],
        "customer_interaction_required": found["customerInteractionRequired"],
    }


_FROM = {"CUSTOMER": "customer", "SYSTEM": "system"}


def message(found: Mapping[str, Any], conversation_id: int) -> dict[str, object]:
    """A message; the one it refers to comes without its own reference."""
    campaign = found["campaign"]
    shown = {
        "id": found["messageId"],
        "conversation_id": conversation_id,
        "from": _FROM.get(found["author"], "agent"),
        "source": word(found["source"]),
        "user_id": found["userId"],
        "contents": contents(found["contents"]),
        "status": word(found["status"]),
        "agent_reaction": found["agentReaction"],
        "customer_reaction": found["customerReaction"],
        "sent_at": seconds(found["sentAt"]),
    }
    if "reference" in found:
        shown["reference"] = _message_or_none(found["reference"], conversation_id)
    return shown | {
        "latest_error": None if found["latestError"] is None else error(found["latestError"]),
        "whatsapp_campaign": None if campaign is None else {"id": campaign["campaignId"], "name": campaign["name"]},
    }


def error(found: Mapping[str, Any]) -> answers.MessageError:
    """Why a message failed."""
    return {
        "id": found["errorId"],
        "message_id": found["messageId"],
        "type": word(found["type"]),
        "original_message": found["originalMessage"],
        "created_at": seconds(found["createdAt"]),
    }


def note(found: Mapping[str, Any], conversation_id: int) -> answers.Note:
    """A note."""
    return {
        "id": found["noteId"],
        "conversation_id": conversation_id,
        "text": found["text"],
        "created_at": seconds(found["createdAt"]),
        "updated_at": seconds(found["updatedAt"]),
    }


def _message_or_none(found: Mapping[str, Any] | None, conversation_id: int) -> dict[str, object] | None:
    return None if found is None else message(found, conversation_id)
