"""The events that interactions of every kind have."""

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event, event
from app.interactions.meaning import Audience, InteractionEvent


@event("*.created")
class Created(InteractionEvent):
    """It was created."""


@event("*.claimed")
class Claimed(InteractionEvent):
    """A user claimed it."""


@event("*.claim_lapsed")
class ClaimLapsed(InteractionEvent):
    """The lease of a claim ended."""


@event("*.released")
class Released(InteractionEvent):
    """A user released it."""


@event("*.assigned")
class Assigned(InteractionEvent):
    """It was assigned to a user, or to nobody."""


@event("*.closed")
class Closed(InteractionEvent):
    """It was closed."""


@event("*.reopened")
class Reopened(InteractionEvent):
    """It was reopened."""


@event("*.snoozed")
class Snoozed(InteractionEvent):
    """It was snoozed."""


@event("*.unsnoozed")
class Unsnoozed(InteractionEvent):
    """A user or a message of the customer ended its snooze."""


@event("*.updated")
class Updated(InteractionEvent):
    """Its fields were changed."""


@event("*.labelled")
class Labelled(InteractionEvent):
    """Its labels were changed."""


@event("*.team_assigned")
class TeamAssigned(InteractionEvent):
    """It was given to a team, or to no team."""


@event("*.bot_resumed")
class BotResumed(InteractionEvent):
    """It was handed back to its bot."""


@event("*.refreshed")
class Refreshed(InteractionEvent):
    """Its attention or state changed because time passed, or because of an event elsewhere."""


@event("*.deleted")
class Deleted(InteractionEvent):
    """It was deleted."""


@event("*.read")
class Read(InteractionEvent):
    """The customer's messages were read."""


@event("*.message_received")
class MessageReceived(InteractionEvent):
    """A message of the customer arrived."""

    stands_alone = True
    brings_message = True

    message_id: int


@event("*.message_imported")
class MessageImported(InteractionEvent):
    """A message from the past was recorded."""

    stands_alone = True
    brings_message = True

    message_id: int


@event("*.message_sent")
class MessageSent(InteractionEvent):
    """A message to the customer was written."""

    stands_alone = True
    brings_message = True
    ends_typing = True

    message_id: int


@event("*.message_status_reported")
class MessageStatusReported(InteractionEvent):
    """The delivery status of a message changed."""

    stands_alone = True

    message_id: int


@event("*.message_deleted")
class MessageDeleted(InteractionEvent):
    """A message was deleted."""

    stands_alone = True

    message_id: int


@event("*.reacted")
class Reacted(InteractionEvent):
    """Somebody reacted to a message."""

    stands_alone = True

    message_id: int


@event("*.note_added")
class NoteAdded(InteractionEvent):
    """A note was added."""

    stands_alone = True

    note_id: int


@event("*.note_edited")
class NoteEdited(InteractionEvent):
    """A note was edited."""

    stands_alone = True

    note_id: int


@event("*.note_deleted")
class NoteDeleted(InteractionEvent):
    """A note was deleted."""

    stands_alone = True

    note_id: int


@event("*.attention_raised")
class AttentionRaisedByHand(InteractionEvent):
    """A user raised the attention."""


@event("*.attention_cleared")
class AttentionClearedByHand(InteractionEvent):
    """A user cleared the attention."""


@event("*.acknowledged")
class Acknowledged(InteractionEvent):
    """A user acknowledged the attention."""

    moves_queue = True


@event("interaction.typing")
class Typing(InteractionEvent):
    """A user or the customer is typing."""

    audience = Audience.NOBODY
    in_history = False
    stands_alone = True

    user_id: int


@event("interaction.viewers_changed")
class ViewersChanged(InteractionEvent):
    """The users who are viewing it changed."""

    audience = Audience.VIEWERS
    in_history = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionEvent(InteractionEvent):
    """What another event did to the attention, told for who listens to nothing else."""

    audience = Audience.NOBODY
    moves_queue = True

    verb: ClassVar[str]
    """What the other event says of it."""

    reason_before: str | None
    reason_after: str | None


@event("attention.raised")
class AttentionRaised(AttentionEvent):
    """A human is needed now."""

    verb = "raised"


@event("attention.changed")
class AttentionChanged(AttentionEvent):
    """The level or the reason of the attention changed."""

    verb = "changed"


@event("attention.renewed")
class AttentionRenewed(AttentionEvent):
    """Level and reason are unchanged, and the customer wrote again."""

    verb = "renewed"


@event("attention.cleared")
class AttentionCleared(AttentionEvent):
    """No human is needed any more."""

    verb = "cleared"


@event("attention.listeners_changed")
class ListenersChanged(Event):
    """The number of users who listen to the attention queue changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncEvent(InteractionEvent):
    """What became of something that is to be done in the connected system."""

    stands_alone = True

    action: str
    entry_id: int


@event("*.sync_refused")
class SyncRefused(SyncEvent):
    """The connected system refused a user's change."""


@event("*.sync_uncertain")
class SyncUncertain(SyncEvent):
    """It is not known whether the connected system made a user's change."""


@event("*.sync_retried")
class SyncRetried(SyncEvent):
    """A user repeated a change in the connected system."""


@event("*.sync_dropped")
class SyncDropped(SyncEvent):
    """A user gave up a change in the connected system."""


@event("*.synced")
class Synced(InteractionEvent):
    """The connected system has the changes made here."""

    in_history = False
    stands_alone = True

    action: str
