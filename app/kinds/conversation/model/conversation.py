"""A Conversation, and how time, messages and users change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.directory.model import Channel
from app.interactions.history import REFERENCE
from app.interactions.model import MISSED, Cause, Facets, Interaction, Level, ReplyBlock, State, Turn
from app.kinds.conversation.events import ReplyWindowClosed, ReplyWindowClosing, SnoozeEnded

NAME = "conversation"
PREFIX = "cnv"
SYSTEM = NAME.upper()
"""The system of its customers, as the directory names it."""

REPLY_WINDOW = "REPLY_WINDOW"
TO_DO = "TO_DO"

REASONS = {
    REPLY_WINDOW: "The customer waits for an answer, and the channel's reply window closes soon.",
    TO_DO: "Nobody has started to work on the interaction, or continued it after its snooze.",
}


class Status(StrEnum):
    """The progress of the work on a conversation."""

    TO_DO = "TO_DO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"


REPLY_WINDOWS = {Channel.WHATSAPP: timedelta(hours=24)}
"""How long after a customer's message free-form replies are delivered. A channel that is not listed has no window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation(Interaction):
    """A conversation between a channel agent and a customer; `assignee_id` is the contract's `user`.

    `conversation_id` is the contract's own key. `woken` is whether its snooze has ended and no user has acted since.
    `restart_message_ids` are the latest restarts since the customer's last message, at most MOST_RESTARTS, oldest
    first. The following are only read from related rows: `in_sync` is the channel agent's, `blocked` the customer
    profile's. `cannot` are the commands that its connection cannot do, None for a conversation that is written to no
    other system."""

    conversation_id: int
    channel: Channel
    channel_agent_id: int = field(metadata={REFERENCE: "cha"})
    status: Status = Status.TO_DO
    snooze_until: datetime | None = None
    last_customer_reply_from: datetime | None = None
    reply_until: datetime | None = None
    customer_interaction_required: bool = False
    woken: bool = False
    restart_message_ids: tuple[int, ...] = ()
    in_sync: bool = True
    blocked: bool = False
    cannot: str | None = None

    @property
    def facets(self) -> Facets:
        account = f"cha_{self.channel_agent_id}"
        return Facets(self.status.value, self.channel.value, account, str(self.conversation_id))


def state(conversation: Conversation, now: datetime) -> State:
    """Closed when done, otherwise snoozed until the snooze ends."""
    if conversation.status == Status.DONE:
        return State.CLOSED
    if conversation.snooze_until is not None and conversation.snooze_until > now:
        return State.SNOOZED
    return State.OPEN


def causes(conversation: Conversation, now: datetime, warning: timedelta) -> tuple[Cause, ...]:
    """The reasons why a human is needed. `warning` is how long before the reply window closes a waiting customer is
    urgent."""
    found = []
    closes = conversation.reply_until
    if closes is not None and conversation.waiting.needed and not conversation.customer_interaction_required:
        if now >= closes:
            found.append(Cause(MISSED, Level.HIGH, "restarting or closing it, or the customer's next message"))
        elif now >= closes - warning:
            ends = "an answer, or the end of the reply window"
            found.append(Cause(REPLY_WINDOW, Level.URGENT, ends, deadline=closes))
    if conversation.status == Status.TO_DO:
        found.append(Cause(TO_DO, Level.LOW, "beginning to work on it, or closing it"))
    elif conversation.woken:
        found.append(Cause(TO_DO, Level.LOW, "going on with it, snoozing it again or closing it", clearable=True))
    return tuple(found)


def awake_at(conversation: Conversation, until: datetime, now: datetime, warning: timedelta) -> datetime:
    """When a snooze until `until` that begins now must end. It may not last through a waiting customer's reply window.

    It ends when the window is about to close. If that is already so, it ends when the window closes."""
    closes = conversation.reply_until
    if closes is None or closes <= now or not conversation.waiting.needed:
        return until
    warned = closes - warning
    return min(until, warned if warned > now else closes)


def next_turn(conversation: Conversation, now: datetime, warning: timedelta) -> datetime | None:
    """The next moment at which time alone changes the conversation; None when there is none.

    A snooze ends; a waiting customer becomes urgent; the reply window closes while a customer waits. The end of a
    snooze counts until it has been processed."""
    if conversation.status == Status.DONE:
        return None
    turns = [] if conversation.snooze_until is None else [conversation.snooze_until]
    if conversation.reply_until is not None and conversation.waiting.needed:
        turns += [at for at in (conversation.reply_until - warning, conversation.reply_until) if at > now]
    return min(turns, default=None)


def turn(conversation: Conversation, now: datetime) -> Turn[Conversation] | None:
    """What time has done to the conversation. The causes tell whether its attention changes."""
    if conversation.snooze_until is not None and conversation.snooze_until <= now:
        return Turn(SnoozeEnded(), replace(conversation, snooze_until=None, woken=True))
    if conversation.reply_until is None:
        return None
    closed = conversation.reply_until <= now
    return Turn(ReplyWindowClosed() if closed else ReplyWindowClosing(), conversation)


MOST_RESTARTS = 10
"""How many restarts are remembered while the customer does not write: usually there is less than one a day."""


UNDELIVERED: Mapping[ReplyBlock, str] = {
    ReplyBlock.ACCOUNT_OFFLINE: "The channel agent is not connected.",
    ReplyBlock.CUSTOMER_MUST_ANSWER: "The customer has to write first.",
    ReplyBlock.WINDOW_CLOSED: "The reply window is closed.",
}
"""The error text of a message that is not delivered."""


def undelivered_by(
    channel: str,
    in_sync: bool,
    reply_until: datetime | None,
    customer_interaction_required: bool,
    now: datetime,
) -> ReplyBlock | None:
    """Why the channel would not deliver a free-form message sent now; None when it would."""
    if not in_sync:
        return ReplyBlock.ACCOUNT_OFFLINE
    if channel not in REPLY_WINDOWS:
        return None
    if customer_interaction_required:
        return ReplyBlock.CUSTOMER_MUST_ANSWER
    if reply_until is None or reply_until <= now:
        return ReplyBlock.WINDOW_CLOSED
    return None


def undelivered_message(conversation: Conversation, now: datetime, *, template: bool = False) -> str | None:
    """Why a message sent now gets the status ERROR, as a sentence; None when it is delivered.

    A template, which the channel has approved before, needs no reply window."""
    block = undelivered_by(
        "" if template else conversation.channel,
        conversation.in_sync,
        conversation.reply_until,
        conversation.customer_interaction_required,
        now,
    )
    return None if block is None else UNDELIVERED[block]


def received(conversation: Conversation, at: datetime) -> Conversation:
    """The conversation after a message that the customer wrote at `at`.

    Done becomes to-do, a snooze ends, and the reply window opens. A message that arrives late never shortens the
    window."""
    last = conversation.last_customer_reply_from
    last = at if last is None else max(last, at)
    window = REPLY_WINDOWS.get(conversation.channel)
    return replace(
        conversation,
        status=Status.TO_DO if conversation.status == Status.DONE else conversation.status,
        snooze_until=None,
        woken=False,
        last_customer_reply_from=last,
        reply_until=None if window is None else last + window,
        customer_interaction_required=False,
        restart_message_ids=(),
    )


def restarted(conversation: Conversation, at: datetime | None) -> Conversation:
    """The conversation after a restart that was written at this time and is not known to have failed; with None, when
    no restart is left.

    A restart opens the reply window, but the customer has to write first. Without a restart, the window is that of the
    customer's last message."""
    window = REPLY_WINDOWS[conversation.channel]
    opened = conversation.last_customer_reply_from if at is None else at
    return replace(
        conversation,
        reply_until=None if opened is None else opened + window,
        customer_interaction_required=at is not None,
    )


def with_restart(conversation: Conversation, message_id: int) -> Conversation:
    """The conversation with one more restart message, whether it is delivered or not."""
    ids = (*conversation.restart_message_ids, message_id)
    return replace(conversation, restart_message_ids=ids[-MOST_RESTARTS:])


def with_status(conversation: Conversation, status: Status) -> Conversation:
    """The conversation in another status. A done conversation is no longer snoozed."""
    snooze_until = None if status == Status.DONE else conversation.snooze_until
    return replace(conversation, status=status, snooze_until=snooze_until, woken=False)


def taken(conversation: Conversation) -> Conversation:
    """The conversation after a user took it: that user has begun to work on it."""
    conversation = replace(conversation, woken=False)
    return with_status(conversation, Status.IN_PROGRESS) if conversation.status == Status.TO_DO else conversation
