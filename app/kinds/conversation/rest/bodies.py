"""What the contract's requests bring, but for messages."""

from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from app.interactions.contents import LONGEST_EMOJI
from app.interactions.service.notes import LONGEST_NOTE
from app.kinds.conversation.model.conversation import Status
from app.kinds.conversation.rest import answers
from app.kinds.conversation.rest.values import LARGEST_NUMBER, word
from app.kinds.conversation.service import ConversationChanges
from app.rest.bodies import ABSENT, Body, Faults, Told, Within

_STATUSES = {word(status): status for status in Status}
_NO_TEXT = "This takes text."


class _Body(Body):
    faults = Faults(
        MappingProxyType(
            {"bool_type": "This takes true or false.", "missing": _NO_TEXT, "string_type": _NO_TEXT},
        )
    )


class ConversationUpdate(_Body):
    """What to change: an absent member stays."""

    status: Annotated[answers.Status, Told(f"The status is one of {', '.join(map(str, _STATUSES))}.")] = ABSENT
    user_id: (
        Annotated[
            int,
            Field(ge=1, le=LARGEST_NUMBER, description="Who works on it; null unassigns."),
            Told(f"This takes a whole number from 1 to {LARGEST_NUMBER}."),
        ]
        | None
    ) = None

    def changes(self) -> ConversationChanges:
        """What of a conversation can be written; what is absent stays."""
        found = self.given()
        if "status" in found:
            found["status"] = _STATUSES[self.status]
        changes: ConversationChanges = found
        return changes


class Reading(_Body):
    """How messages are marked as read."""

    mark_external: Annotated[bool, Field(description="Whether to tell the messenger, too.")] = ABSENT


class Reaction(_Body):
    """The reaction to a message."""

    reaction: Annotated[
        Annotated[str, Within(1, LONGEST_EMOJI), Field(description="A single emoji.")] | None,
        Told("A reaction is a single emoji."),
    ]

    faults = Faults(MappingProxyType({"missing": "This is required; null takes the reaction away."}))


class NewNote(_Body):
    """A note."""

    text: Annotated[str, Within(1, LONGEST_NOTE)]


class NoteUpdate(_Body):
    """What to change of a note: an absent text stays."""

    text: Annotated[str, Within(1, LONGEST_NOTE)] = ABSENT
