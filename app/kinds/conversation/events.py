"""The events of channel agents and conversations."""

from collections.abc import Sequence

from app.core.events import Event, event
from app.interactions.meaning import InteractionEvent


@event("conversation.snooze_ended")
class SnoozeEnded(InteractionEvent):
    """The snooze ended."""


@event("conversation.reply_window_closing")
class ReplyWindowClosing(InteractionEvent):
    """The reply window of the conversation is about to close."""


@event("conversation.reply_window_closed")
class ReplyWindowClosed(InteractionEvent):
    """The reply window of the conversation closed."""


@event("conversation.restarted")
class Restarted(InteractionEvent):
    """The conversation was restarted."""


@event("channel_agent.created")
class ChannelAgentCreated(Event):
    """A channel agent was created."""

    channel_agent_id: int


@event("channel_agent.updated")
class ChannelAgentUpdated(Event):
    """A channel agent's fields were changed."""

    channel_agent_id: int
    fields: Sequence[str]
