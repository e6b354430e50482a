"""The fields by which interactions and messages are sorted."""

from enum import StrEnum

import strawberry

from app.graph.enums import described
from app.graph.ordering import OrderDirection


class InteractionOrderField(StrEnum):
    """What lists of interactions are sorted by."""

    LATEST_MESSAGE_AT = "LATEST_MESSAGE_AT"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


class MessageOrderField(StrEnum):
    """What lists of messages are sorted by."""

    SENT_AT = "SENT_AT"


class NoteOrderField(StrEnum):
    """What lists of notes are sorted by."""

    CREATED_AT = "CREATED_AT"


described(
    InteractionOrderField,
    "The field that a list of interactions is sorted by.",
    {
        "LATEST_MESSAGE_AT": "The time of the newest message. Without messages, the time of creation counts.",
        "CREATED_AT": "The time of creation.",
        "UPDATED_AT": "The time of the latest change.",
    },
)
described(
    MessageOrderField,
    "The field that a list of messages is sorted by.",
    {"SENT_AT": "The time at which the message was sent."},
)
described(
    NoteOrderField,
    "The field that a list of notes is sorted by.",
    {"CREATED_AT": "The time of the note's creation."},
)

_DIRECTION = "The direction of the order."


@strawberry.input(description="The order of a list of interactions. Of equal times, the ids decide.")
class InteractionOrder:
    direction: OrderDirection = strawberry.field(default=OrderDirection.DESC, description=_DIRECTION)
    field: InteractionOrderField = strawberry.field(description="The field that the interactions are sorted by.")


@strawberry.input(description="The order of a list of messages. Of equal times, the ids decide.")
class MessageOrder:
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description=_DIRECTION)
    field: MessageOrderField = strawberry.field(description="The field that the messages are sorted by.")


@strawberry.input(description="The order of a list of notes. Of equal times, the ids decide.")
class NoteOrder:
    direction: OrderDirection = strawberry.field(default=OrderDirection.DESC, description=_DIRECTION)
    field: NoteOrderField = strawberry.field(description="The field that the notes are sorted by.")


NEWEST_INTERACTIONS = InteractionOrder(field=InteractionOrderField.LATEST_MESSAGE_AT)
"""The default order of lists of interactions."""

OLDEST_MESSAGES = MessageOrder(field=MessageOrderField.SENT_AT)
"""The default order of lists of messages."""

NEWEST_NOTES = NoteOrder(field=NoteOrderField.CREATED_AT)
"""The default order of lists of notes."""
