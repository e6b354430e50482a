"""The protocol of a kind's rules, which shared commands call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.core.actor import Actor
from app.core.errors import DomainError
from app.interactions.model import AnyCommand, Cause, Interaction, State, Turn

if TYPE_CHECKING:
    from app.directory.model import Customer, User
    from app.interactions.meaning import InteractionEvent
    from app.interactions.messages import Message
    from app.settings import Settings
    from app.storage.database import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


Hours = Callable[[datetime, datetime], timedelta]
"""How long of the time between two moments is within opening hours."""


class KindRules(Protocol[I]):
    """The rules of one kind as shared commands call them. They know neither GraphQL nor HTTP.

    `name` is the kind's permission prefix and discriminator (`chat_session`), `prefix` that of its global ids (`chs`),
    `reasons` are the attention reasons that it alone has, the one that counts first when levels are equal first."""

    name: str
    prefix: str
    reasons: Mapping[str, str]

    def load(self, work: "Work", interaction_id: int) -> I | None:
        """Lock and read the whole interaction, common columns and the kind's own, in one statement."""

    def channel_key(self, interaction: I) -> str:
        """The namespace of its messages' keys: no two messages with the same namespace have the same key."""

    def save(self, work: "Work", before: I, after: I) -> None:
        """Write the kind's own columns that differ; the caller writes the common ones."""

    def state(self, interaction: I, now: datetime, settings: "Settings") -> State:
        """OPEN, SNOOZED or CLOSED, from the kind's own encoding."""

    def causes(self, interaction: I, now: datetime, settings: "Settings") -> Sequence[Cause]:
        """The kind's own causes of attention; called only in the state OPEN."""

    def answers(self, interaction: I, message: "Message", settings: "Settings") -> bool:
        """Whether a message to the customer answers the customer, in the interaction's current state.

        A user's message does; a notice or a welcome does not; a bot's does while it is in charge and no human was
        requested."""

    def refusal(
        self, command: AnyCommand, subject: object, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        """The refusal of this command now, or None. `subject` has the kind's columns as attributes."""

    def as_received(self, interaction: I, message: "Message") -> "Message":
        """A message of the customer before it is stored, with the values that the kind's contract gives every such
        message."""

    def on_customer_message(self, work: "Work", interaction: I, message: "Message") -> I:
        """The interaction after a customer's message, apart from what is common to all kinds.

        The message is stored, and the common columns (latest message, unread count) already count it."""

    def on_user_message(self, work: "Work", interaction: I, message: "Message") -> "tuple[I, Message]":
        """The interaction and the message after a message to the customer by a user, a bot, an AI agent or the system.

        The message is returned as it is to be stored (its status, its error); it has no id yet, and the common columns
        do not count it yet."""

    def on_delivery(self, work: "Work", interaction: I, message: "Message") -> I:
        """The interaction after the delivery of an answer failed (its status is ERROR), a reported failure was revoked,
        or the answer was deleted; apart from what is common to all kinds."""

    def held_for(self, work: "Work", interaction: I, command: AnyCommand) -> I:
        """The locked interaction before the command: what `refusal` reads of other rows is as it is now, and stays so
        until the unit ends."""

    def may_hold(self, interaction: I, user: "User") -> bool:
        """Whether the user may work on the interaction, and so can hold it."""

    def on_assign(self, work: "Work", actor: Actor, interaction: I, user_id: int | None) -> I:
        """The interaction after a change of its assignee; `assignee_id` and `claimed_until` are already set."""

    def on_team_changed(self, work: "Work", interaction: I) -> I:
        """The interaction after it moved to another team, without offers to users who may not see it there. Its
        assignee is set."""

    def on_close(self, work: "Work", actor: Actor, interaction: I) -> I:
        """The interaction in the kind's closed state."""

    def on_reopen(self, work: "Work", actor: Actor, interaction: I) -> I:
        """The interaction in the kind's open state."""

    def on_resume_bot(self, work: "Work", interaction: I) -> I:
        """The interaction, which nobody holds any more, with its bot in charge."""

    def on_snooze(self, work: "Work", actor: Actor, interaction: I, until: datetime | None) -> I:
        """The interaction snoozed until that time, or awake with None; not called if the kind refuses the command."""

    def on_clear(self, work: "Work", actor: Actor, interaction: I) -> I:
        """The interaction without the causes that clearAttention ends."""

    def next_turn(self, interaction: I, now: datetime, settings: "Settings") -> datetime | None:
        """The time of the next change that happens without a command; None when there is none.

        It may lie in the past when overdue. What follows from the time alone (state, causes) is derived at `now` and
        not asked for here, nor is the end of a claim's lease, which is common to all kinds."""

    def turn(self, interaction: I, now: datetime, settings: "Settings") -> Turn[I] | None:
        """The change that is due at `now`, or None. State and attention are derived from its result."""

    def on_written(
        self,
        work: "Work",
        actor: Actor,
        before: I,
        after: I,
        command: AnyCommand,
        happened: "InteractionEvent",
    ) -> None:
        """Queue for the connected system what was changed here; called with the saved interaction and its event
        `happened`."""

    def outgoing(
        self, work: "Work", interaction: I, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        """The details that the connected system needs for an action; None when there is nothing left to do."""

    def restored(self, work: "Work", interaction: I, action: str, value: object, message_id: int | None) -> I:
        """The interaction after its connected system refused an action: with the previous value."""

    def lock_of_user(self, work: "Work", user_id: int) -> None:
        """Lock the interactions that `on_user_changed` may change, in the order of their surrogates."""

    def on_user_changed(self, work: "Work", actor: Actor, before: "User", after: "User") -> None:
        """Release what the user can no longer work on, and apply what else follows from the user's change."""

    def has_open_of_team(self, work: "Work", team_id: int) -> bool:
        """Whether an interaction of the kind that is not closed belongs to the team."""

    def on_customer_erased(self, work: "Work", customer: "Customer") -> None:
        """Erase the customer's data that the kind stores outside of interactions, before the customer is deleted."""

    def hours(self, work: "Work", account: str) -> Hours | None:
        """The opening hours of an account with this global id; None where it is always open."""

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, object]) -> I:
        """The customer's interaction that a received message belongs to, locked; opened when there is none.

        `target` has `customer_id` (surrogate or None) and what was given of the kind's own `targets`. With `imported`
        true a new one is over where the kind knows that, for what comes is history. Raises InvalidInput, its path
        relative to the target, for what the kind needs and was not given."""
