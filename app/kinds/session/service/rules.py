"""The rules of a Session for the shared commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.connections.service import MirroredRules
from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import is_answer
from app.interactions.model import AnyCommand, Cause, State, Turn
from app.kinds.session import model
from app.kinds.session.model import Session
from app.kinds.session.repository import SessionRepository
from app.kinds.session.service.mirroring import outgoing, queue_changes, restored
from app.kinds.session.service.sessions import open_for_customer

if TYPE_CHECKING:
    from app.interactions.messages import Message
    from app.settings import Settings
    from app.storage.work import Work


class Rules(MirroredRules[Session]):
    """How a Session takes part in the shared commands."""

    name = model.NAME
    prefix = model.PREFIX
    reasons: Mapping[str, str] = model.REASONS
    repository = SessionRepository

    def state(self, interaction: Session, now: datetime, settings: "Settings") -> State:
        return model.state(interaction, now, settings.session_window)

    def causes(self, interaction: Session, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return model.causes(interaction)

    def refusal(
        self, command: AnyCommand, subject: Any, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return model.refusal(command, subject, actor, now, settings)

    def answers(self, interaction: Session, message: "Message", settings: "Settings") -> bool:
        return is_answer(message, interaction, asked=interaction.need_attention)

    def on_assign(self, work: "Work", actor: Actor, interaction: Session, user_id: int | None) -> Session:
        """A Session that only its holder kept current asks for another human, because its customer still waits."""
        return (
            interaction if user_id is not None else model.released(interaction, work.now, work.settings.session_window)
        )

    def on_resume_bot(self, work: "Work", interaction: Session) -> Session:
        return model.flagged(interaction, False)

    def on_clear(self, work: "Work", actor: Actor, interaction: Session) -> Session:
        return model.flagged(interaction, False) if interaction.need_attention else interaction

    def next_turn(self, interaction: Session, now: datetime, settings: "Settings") -> datetime | None:
        return model.window_end(interaction, settings.session_window) if interaction.state is State.OPEN else None

    def turn(self, interaction: Session, now: datetime, settings: "Settings") -> Turn[Session] | None:
        return model.turn(interaction, now, settings.session_window)

    def queue_changes(
        self,
        work: "Work",
        actor: Actor,
        before: Session,
        after: Session,
        command: AnyCommand,
        happened: InteractionEvent,
    ) -> None:
        queue_changes(work, actor, before, after, command, happened)

    def outgoing(
        self, work: "Work", interaction: Session, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        return outgoing(work, interaction, action, value, message_id)

    def restored(
        self, work: "Work", interaction: Session, action: str, value: object, message_id: int | None
    ) -> Session:
        return restored(interaction, action, value)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> Session:
        """The customer's current Session; a new one when there is none."""
        customer_id: int | None = target.get("customer_id")
        if customer_id is None:
            raise InvalidInput("A Session needs a customer.", path=("customer_id",))
        return open_for_customer(work, actor, customer_id)
