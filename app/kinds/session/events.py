"""What happens to Sessions alone."""

from app.core.events import event
from app.interactions.meaning import InteractionEvent


@event("session.flagged")
class Flagged(InteractionEvent):
    """Its time was up while a human was needed, and it was flagged."""


@event("session.ended")
class Ended(InteractionEvent):
    """Its time was up, and it ended."""


@event("session.suggested_message_used")
class SuggestedMessageUsed(InteractionEvent):
    """A suggested message was sent."""

    stands_alone = True

    suggested_message: str
    selected_count: int
