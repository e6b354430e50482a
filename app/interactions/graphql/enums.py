"""The enums that all kinds share, as the graph has them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.graph.enums import described
from app.interactions.messages import MessageAuthor, MessageErrorType, MessageSource, MessageStatus, SenderRole
from app.interactions.model import Level, ReplyBlock, State

if TYPE_CHECKING:

    class InteractionKind(StrEnum):
        """The kinds, in capitals; the list of kinds gives it its members."""

    class AttentionReason(StrEnum):
        """Why an interaction needs a human: the reasons of the kinds, and the shared ones."""

    class InteractionStatus(StrEnum):
        """Where an interaction stands in the words of its kind."""


KindName = Annotated["InteractionKind", strawberry.lazy("app.registry")]
"""The enum of kinds in an annotation: it is made above, where the kinds are listed."""

ReasonName = Annotated["AttentionReason", strawberry.lazy("app.registry")]
"""The enum of reasons in an annotation, made where the kinds are listed."""

StatusName = Annotated["InteractionStatus", strawberry.lazy("app.registry")]
"""The enum of the kinds' statuses in an annotation, made where the kinds are listed."""

described(
    State,
    "The state of an interaction. All kinds share these states.",
    {
        "OPEN": "In progress, or ready to continue.",
        "SNOOZED": "Snoozed: set aside until a time.",
        "CLOSED": "Ended. Each kind has its own rules for this.",
    },
    name="InteractionState",
)
described(
    Level,
    "How urgently a human is needed.",
    {"URGENT": "At once.", "HIGH": "Soon.", "NORMAL": "In normal order.", "LOW": "Whenever there is time."},
    name="AttentionLevel",
)
described(
    ReplyBlock,
    "The reason why a user cannot reply to the customer now.",
    {
        "NOT_ALLOWED": "The user lacks the permission to write.",
        "CLOSED": "The interaction accepts no messages in its present state. It must be reopened first.",
        "BLOCKED": "The profile of the customer is blocked.",
        "UNSUBSCRIBED": "The customer has unsubscribed.",
        "NO_NUMBER": "The customer has no phone number.",
        "ACCOUNT_OFFLINE": "The business account on the channel is not connected.",
        "CUSTOMER_MUST_ANSWER": "The conversation was restarted, and the customer has to write first.",
        "WINDOW_CLOSED": "The reply window of the channel is closed; a restart is possible.",
        "BOT_IN_CHARGE": "A bot answers the customer, and a setting keeps users from answering meanwhile.",
        "HELD_BY_OTHER": "Another user holds the interaction. With `override`, the message is sent anyway.",
        "CONNECTION_DOWN": "The connection to the other system cannot send now. A message waits until it can, for an "
        "hour at most.",
    },
)
described(
    MessageAuthor,
    "The author of a message.",
    {
        "CUSTOMER": "The customer.",
        "USER": "A user of the business.",
        "AI_AGENT": "The AiAgent of an AgentSession.",
        "BOT": "A bot.",
        "SYSTEM": "The system by itself.",
    },
)
described(
    SenderRole,
    "The author of a message, from the customer's point of view.",
    {
        "END_USER": "The customer.",
        "AGENT": "A user of the business.",
        "BOT": "A program: a bot, an AiAgent, the system.",
    },
)
described(
    MessageSource,
    "The cause of a message.",
    {"USER": "A user or the customer wrote it.", "WHATSAPP_CAMPAIGN": "A campaign on WhatsApp sent it."},
)
described(
    MessageStatus,
    "The delivery status of a message.",
    {
        "CREATED": "It was written, and not yet handed to the channel.",
        "SENT": "The channel has accepted it.",
        "DELIVERED": "It arrived.",
        "READ": "It was read.",
        "ERROR": "Not delivered. The latest error has the reason.",
    },
)
described(
    MessageErrorType,
    "The source of a message's error.",
    {"STATUS_UPDATE": "From the channel, about a message that it had accepted.", "OTHER": "From anywhere else."},
)

__all__ = (
    "Level",
    "MessageAuthor",
    "MessageErrorType",
    "MessageSource",
    "MessageStatus",
    "ReplyBlock",
    "SenderRole",
    "State",
)
