"""The default rules that kinds extend."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from app.core.actor import Actor
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import Message, is_answer
from app.interactions.model import AnyCommand, Interaction, Turn
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.repository.kinds import KindRepository
from app.interactions.service.leaving import follow_user
from app.interactions.service.rights import may_work

if TYPE_CHECKING:
    from app.directory.model import Customer, User
    from app.interactions.rules import Hours
    from app.settings import Settings
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


class DefaultRules(Generic[I]):
    """The defaults of `KindRules`.

    A kind adds `state`, `causes`, `refusal` and `open_for`, and overrides what it does differently."""

    name: str
    prefix: str
    reasons: Mapping[str, str] = MappingProxyType({})
    repository: type[KindRepository[Any]]
    """How its interactions are loaded and saved."""

    def load(self, work: "Work", interaction_id: int) -> I | None:
        found: I | None = work.use(self.repository).load(interaction_id)
        return found

    def save(self, work: "Work", before: I, after: I) -> None:
        repository = work.use(self.repository)
        repository.save(before, after)
        work.left = repository.stored(after)

    def channel_key(self, interaction: I) -> str:
        """One namespace for all interactions of the kind."""
        return self.name

    def as_received(self, interaction: I, message: Message) -> Message:
        return message

    def on_customer_message(self, work: "Work", interaction: I, message: Message) -> I:
        return interaction

    def on_user_message(self, work: "Work", interaction: I, message: Message) -> tuple[I, Message]:
        return interaction, message

    def answers(self, interaction: I, message: Message, settings: "Settings") -> bool:
        return is_answer(message, interaction, asked=False)

    def on_delivery(self, work: "Work", interaction: I, message: Message) -> I:
        return interaction

    def held_for(self, work: "Work", interaction: I, command: AnyCommand) -> I:
        return interaction

    def may_hold(self, interaction: I, user: "User") -> bool:
        return may_work(user, interaction)

    def on_assign(self, work: "Work", actor: Actor, interaction: I, user_id: int | None) -> I:
        return interaction

    def on_team_changed(self, work: "Work", interaction: I) -> I:
        return interaction

    def on_close(self, work: "Work", actor: Actor, interaction: I) -> I:
        return interaction

    def on_reopen(self, work: "Work", actor: Actor, interaction: I) -> I:
        return interaction

    def on_resume_bot(self, work: "Work", interaction: I) -> I:
        return interaction

    def on_snooze(self, work: "Work", actor: Actor, interaction: I, until: datetime | None) -> I:
        return interaction

    def on_clear(self, work: "Work", actor: Actor, interaction: I) -> I:
        return interaction

    def next_turn(self, interaction: I, now: datetime, settings: "Settings") -> datetime | None:
        return None

    def turn(self, interaction: I, now: datetime, settings: "Settings") -> Turn[I] | None:
        return None

    def on_written(
        self,
        work: "Work",
        actor: Actor,
        before: I,
        after: I,
        command: AnyCommand,
        happened: InteractionEvent,
    ) -> None:
        """There is no connected system."""

    def outgoing(
        self, work: "Work", interaction: I, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        return None

    def restored(self, work: "Work", interaction: I, action: str, value: object, message_id: int | None) -> I:
        return interaction

    def of_user(self, work: "Work", user_id: int) -> Collection[int]:
        """The surrogates of the interactions that `on_user_changed` may change."""
        return work.use(HoldingRepository).held(self.name, user_id)

    def lock_of_user(self, work: "Work", user_id: int) -> None:
        work.use(HoldingRepository).lock(self.of_user(work, user_id))

    def on_user_changed(self, work: "Work", actor: Actor, before: "User", after: "User") -> None:
        follow_user(work, actor, self, before, after)  # type: ignore[arg-type]  # a kind adds what is missing

    def has_open_of_team(self, work: "Work", team_id: int) -> bool:
        return work.use(HoldingRepository).any_open_of_team(self.name, team_id)

    def hours(self, work: "Work", account: str) -> "Hours | None":
        return None

    def on_customer_erased(self, work: "Work", customer: "Customer") -> None:
        """The kind stores nothing outside of interactions."""
