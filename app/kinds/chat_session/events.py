"""The events of chat topics and chats."""

from app.core.events import Event, event
from app.interactions.meaning import InteractionEvent


@event("chat_session.requested")
class Requested(InteractionEvent):
    """The chat was requested."""


@event("chat_session.queued")
class Queued(InteractionEvent):
    """The chat was queued."""


@event("chat_session.offered")
class Offered(InteractionEvent):
    """The chat was offered to the users who are present."""

    stands_alone = True


@event("chat_session.picked_up")
class PickedUp(InteractionEvent):
    """A user picked the chat up."""


@event("chat_session.fetched")
class Fetched(InteractionEvent):
    """A user fetched the chat."""


@event("chat_session.erased")
class Erased(InteractionEvent):
    """A deleted chat was erased after its retention."""


@event("chat_session.rated")
class Rated(InteractionEvent):
    """The customer's rating was recorded."""


@event("chat_session.reset")
class Reset(InteractionEvent):
    """The chat was sent back to its queue."""


@event("chat_session.transferred")
class Transferred(InteractionEvent):
    """The chat was offered to another user."""


@event("chat_session.transfer_cancelled")
class TransferCancelled(InteractionEvent):
    """An offer was taken back."""


@event("chat_session.transfer_accepted")
class TransferAccepted(InteractionEvent):
    """An offer was accepted."""


@event("chat_session.transfer_rejected")
class TransferRejected(InteractionEvent):
    """An offer was rejected."""


@event("chat_topic.created")
class ChatTopicCreated(Event):
    """A chat topic was created."""

    topic_id: int


@event("chat_topic.updated")
class ChatTopicUpdated(Event):
    """A chat topic's fields were changed."""

    topic_id: int


@event("chat_topic.deleted")
class ChatTopicDeleted(Event):
    """A chat topic was deleted."""

    topic_id: int


@event("chat_topic.member_added")
class MemberAdded(Event):
    """A member was added to a chat topic."""

    topic_id: int
    user_id: int


@event("chat_topic.member_updated")
class MemberUpdated(Event):
    """The rights of a member of a chat topic were changed."""

    topic_id: int
    user_id: int


@event("chat_topic.member_removed")
class MemberRemoved(Event):
    """A member was removed from a chat topic."""

    topic_id: int
    user_id: int
