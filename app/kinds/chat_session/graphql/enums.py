"""The contract's enums in the graph."""

from app.graph.enums import described
from app.kinds.chat_session.model.rights import FieldRight, TableRightMask
from app.kinds.chat_session.model.session import ChatMessageSpecialType, ChatMessageType, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatInitialStatus, Weekday

described(
    ChatSessionStatus,
    "The status of a chat.",
    {
        "INVALID": "It is not known.",
        "PRE_CHAT_FORM": "The customer sees the form before the chat.",
        "FAQ": "The customer sees frequently asked questions.",
        "OFFLINE_FORM": "The customer sees the offline form.",
        "IN_QUEUE": "It waits to be picked up.",
        "CUSTOMER_LAST": "In progress. The customer wrote last.",
        "USER_LAST": "In progress. A user or bot wrote last.",
        "FINISHED": "It has ended; a message of the customer re-activates it.",
        "DELETED": "It will be erased soon.",
        "CLOSED": "It was closed.",
        "REQUEST_POSTED": "It ended with a request or ticket.",
        "CLOSED_FROM_QUEUE": "It was closed while it waited.",
    },
)
described(
    ChatMessageType,
    "The audience of a message of a chat.",
    {
        "INVALID": "It is not known.",
        "TO_CUSTOMER": "The customer.",
        "TO_USER": "The user.",
        "SPECIAL": "Both. The message records an event of the chat.",
    },
)
described(
    ChatMessageSpecialType,
    "The event that a message of a chat records.",
    {
        "NONE": "Nothing.",
        "WELCOME": "The topic's welcome message.",
        "URL": "A link.",
        "BLOCK": "A block.",
        "NEW_SESSION": "The chat began.",
        "TRANSFERED_SESSION": "The chat was transferred; the contract's own spelling.",
        "ERROR": "Something failed.",
        "SESSION_DELETED": "The chat was deleted.",
        "FAQ_SUCCESS_QUESTION": "The question whether an answer helped.",
        "CLOSED_BY_USER": "A user closed the chat.",
        "CLOSED_BY_CUSTOMER": "The customer closed the chat.",
        "CLOSED_BY_IDLE": "The chat was closed after a time without messages.",
        "TRANSFER_REJECTED": "A transfer was rejected.",
        "REOPENED_BY_CUSTOMER": "The customer re-activated the chat.",
        "CLICKED_OPTION": "The customer chose an option.",
        "BOT_MESSAGE": "A bot wrote it.",
        "OPTIONS": "Options to choose from.",
        "ILLEGAL_FILE_TYPE": "A file of a type that is not accepted.",
    },
)
described(
    ChatInitialStatus,
    "How the chats of a topic begin.",
    {
        "IN_QUEUE": "In the queue.",
        "PRE_CHAT_FORM": "With a form to fill in.",
        "FAQ": "With frequent questions.",
    },
    name="ChatTopicInitialStatus",
)
described(
    Weekday,
    "A day of the week.",
    {
        "MONDAY": "Monday.",
        "TUESDAY": "Tuesday.",
        "WEDNESDAY": "Wednesday.",
        "THURSDAY": "Thursday.",
        "FRIDAY": "Friday.",
        "SATURDAY": "Saturday.",
        "SUNDAY": "Sunday.",
    },
)
described(
    TableRightMask,
    "The rights to a chat as a whole.",
    {"SELECT": "Read it.", "UPDATE": "Change it.", "INSERT": "Create.", "DELETE": "Delete it."},
)
described(
    FieldRight,
    "The rights to a field of a chat.",
    {"READ": "Read it.", "UPDATE": "Read and change it."},
)

__all__ = (
    "ChatInitialStatus",
    "ChatMessageSpecialType",
    "ChatMessageType",
    "ChatSessionStatus",
    "FieldRight",
    "TableRightMask",
    "Weekday",
)
