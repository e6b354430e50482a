"""What can happen to an interaction of any kind, with what the graph says of it."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

INTERACTION = "interaction"
"""The subject of topics in the graph, whatever the kind: `kind` says which it is."""


@lru_cache(maxsize=1024)
def topic_name(topic: str, kind: str | None) -> str:
    """The name in the graph of a topic of the log: `customer.created` is CUSTOMER_CREATED, and `conversation.closed`
    of an interaction of that kind is INTERACTION_CLOSED."""
    subject, _, past = topic.partition(".")
    return f"{INTERACTION if subject == kind else subject}_{past}".upper()


SHARED_TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "interaction.acknowledged": "A user acknowledged the attention.",
        "interaction.assigned": "It was assigned to a user, or to nobody.",
        "interaction.attention_cleared": "A user cleared the attention.",
        "interaction.attention_raised": "A user raised the attention.",
        "interaction.bot_resumed": "It was handed back to its bot.",
        "interaction.claim_lapsed": "The lease of a claim ended.",
        "interaction.claimed": "A user claimed it.",
        "interaction.closed": "It was closed.",
        "interaction.created": "It was created.",
        "interaction.deleted": "It was deleted.",
        "interaction.labelled": "Its labels were changed.",
        "interaction.message_deleted": "A message was deleted.",
        "interaction.message_imported": "A message of the past was recorded.",
        "interaction.message_received": "A message of the customer arrived.",
        "interaction.message_sent": "A message to the customer was written.",
        "interaction.message_status_reported": "The delivery status of a message changed.",
        "interaction.note_added": "A note was added.",
        "interaction.note_deleted": "A note was deleted.",
        "interaction.note_edited": "A note was edited.",
        "interaction.rated": "The customer's rating was recorded.",
        "interaction.reacted": "Somebody reacted to a message.",
        "interaction.read": "The customer's messages were read.",
        "interaction.refreshed": "Its attention or state changed with time alone, or by what happened elsewhere.",
        "interaction.released": "A user released it.",
        "interaction.reopened": "It was reopened.",
        "interaction.reset": "It was sent back to its queue.",
        "interaction.restarted": "The exchange was begun anew.",
        "interaction.snoozed": "It was snoozed.",
        "interaction.transfer_accepted": "An offer was accepted.",
        "interaction.transfer_cancelled": "An offer was taken back.",
        "interaction.transfer_rejected": "An offer was rejected.",
        "interaction.transferred": "It was offered to another user.",
        "interaction.typing": "A user or the customer is typing.",
        "interaction.unsnoozed": "A user or a message of the customer ended its snooze.",
        "interaction.updated": "Its fields were changed.",
        "interaction.viewers_changed": "The users who are viewing it changed.",
        "attention.raised": "A human is needed now.",
        "attention.changed": "The level or the reason of the attention changed.",
        "attention.renewed": "Level and reason are as before, and the customer wrote again.",
        "attention.cleared": "No human is needed any more.",
        "attention.listeners_changed": "The users who listen to the attention queue changed.",
    }
)
"""The topics that all kinds share, those of their own events as `interaction.closed`."""
