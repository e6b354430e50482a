"""The contract's reads of chats and their messages."""

from app.kinds.chat_session.model.limits import REFERENCES
from app.kinds.chat_session.reads.listing import Shape
from app.rest import Pick, Selection, leaf, one, root
from app.selection.tree import Field


def camel(name: str) -> str:
    """The graph's name of a field: `customerAlias` for `customer_alias`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _reference(name: str) -> Field:
    items = tuple(leaf(camel(item)) for item in REFERENCES[name])
    return one(name, f"{name.capitalize()}Reference", items)


_USER = tuple(map(leaf, ("id", "login", "name", "fullName", "personId", "type", "active")))
_LEAVES = (
    *("chatSessionId", "topicId", "customerAlias", "customerHost", "customerName", "customerEmail", "customerPhone"),
    *("customerConsented", "customerCompanyName", "status", "firstMessage", "lastMessage", "whenRequested"),
    *("whenStarted", "whenEnded", "whenIdle", "whenFetched", "sessionKey", "initialQueuePos", "alertLevel", "rank"),
    *("userIsTyping", "chatbotIsActive", "rating", "updatedAt"),
)
_CHAT = (
    *map(leaf, _LEAVES),
    one("user", "User", _USER),
    one("transferTo", "User", _USER),
    *map(_reference, REFERENCES),
    one("tableRight", "TableRight", (leaf("mask"), leaf("reason"))),
    one("fieldProperties", "FieldProperty", tuple(map(leaf, ("name", "right", "type", "length")))),
)

CHAT = root(one("chatSession", "ChatSession", _CHAT, chat_session_id=Pick("chat_session_id")))
_ROW = (
    *map(leaf, ("chatSessionId", "firstMessage", "lastMessage", "whenRequested", "whenStarted", "whenEnded")),
    *map(leaf, ("initialQueuePos", "rating", "status", "topicId", "updatedAt", "createdAt")),
    one("user", "User", tuple(map(leaf, ("id", "name", "fullName", "personId")))),
    one("topic", "ChatTopic", (leaf("name"), leaf("description"))),
    _reference("person"),
    _reference("contact"),
)


def listing(shape: Shape) -> Selection:
    """A page of the list that is filtered and ordered so."""
    return root(
        one(
            "chatContractList",
            "ChatContractChats",
            (one("chats", "ChatSession", _ROW),),
            shape=shape,
            values=Pick("values"),
            limit=Pick("limit"),
            offset=Pick("offset"),
        )
    )


MINE = root(one("chatContractMine", "ChatContractChats", (one("chats", "ChatSession", _CHAT),)))

_MESSAGE = (
    *map(leaf, ("messageId", "messageType", "text", "authorName", "readByCustomer", "specialType", "specialParam")),
    leaf("sentAt"),
    one("user", "User", (leaf("name"),)),
)
MESSAGES = root(
    one(
        "chatContractMessages",
        "ChatContractMessages",
        (one("messages", "Message", _MESSAGE),),
        chat_session_id=Pick("chat_session_id"),
        after=Pick("after"),
        limit=Pick("limit"),
    )
)
MESSAGE = root(one("node", "Message", _MESSAGE, id=Pick("id")))
