"""The events of Sessions."""

from app.core.events import event
from app.interactions.meaning import InteractionEvent


@event("session.flagged")
class Flagged(InteractionEvent):
    """The session was flagged when its time was up, because a human was needed."""


@event("session.ended")
class Ended(InteractionEvent):
    """The session ended when its time was up."""


@event("session.suggested_message_used")
class SuggestedMessageUsed(InteractionEvent):
    """A suggested message was sent."""

    stands_alone = True

    suggested_message: str
    selected_count: int
