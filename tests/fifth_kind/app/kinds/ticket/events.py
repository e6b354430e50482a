"""What happens to tickets alone."""

from app.core.events import event
from app.interactions.meaning import InteractionEvent


@event("ticket.escalated")
class Escalated(InteractionEvent):
    """A ticket was handed to the next level."""

    level: int
