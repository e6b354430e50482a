"""The rules of an AgentSession as the shared commands ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput
from app.interactions.messages import MessageAuthor
from app.interactions.model import Cause, Command, State, Turn
from app.interactions.repository.messages import MessageRepository
from app.kinds.agent_session import model
from app.kinds.agent_session.model import AgentSession, Status
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.agent_session.service.sessions import create, open_for_customer, switched

if TYPE_CHECKING:
    from app.interactions.messages import Message
    from app.settings import Settings
    from app.storage.work import Work

INPUT = "input_message"
OUTPUT = "agent_output"


class Rules:
    """How an AgentSession takes part in the shared commands."""

    name = model.NAME
    prefix = model.PREFIX
    reasons: Mapping[str, str] = model.REASONS

    def load(self, work: "Work", interaction_id: int) -> AgentSession | None:
        return work.use(AgentSessionRepository).load(interaction_id)

    def save(self, work: "Work", before: AgentSession, after: AgentSession) -> None:
        work.use(AgentSessionRepository).save(before, after)

    def state(self, interaction: AgentSession, now: datetime, settings: "Settings") -> State:
        return model.state(interaction)

    def causes(self, interaction: AgentSession, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return model.causes(interaction, settings.escalation)

    def refusal(
        self, command: Command, subject: Any, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return model.refusal(command, subject, actor, now)

    def on_customer_message(self, work: "Work", interaction: AgentSession, message: "Message") -> AgentSession:
        """The agent begins to work on it; it is the contract's event `input_message`."""
        if message.event_type is None:
            work.use(MessageRepository).save(message, replace(message, event_type=INPUT))
        return replace(interaction, status=Status.RUNNING)

    def on_user_message(
        self, work: "Work", interaction: AgentSession, message: "Message"
    ) -> "tuple[AgentSession, Message]":
        """An answer of the agent ends its work; it is the contract's event `agent_output`."""
        if message.author is not MessageAuthor.AI_AGENT:
            return interaction, message
        return replace(interaction, status=Status.STOPPED), replace(message, event_type=message.event_type or OUTPUT)

    def on_assign(self, work: "Work", actor: Actor, interaction: AgentSession, user_id: int | None) -> AgentSession:
        return interaction

    def on_close(self, work: "Work", actor: Actor, interaction: AgentSession) -> AgentSession:
        return switched(interaction, enabled=False)

    def on_reopen(self, work: "Work", actor: Actor, interaction: AgentSession) -> AgentSession:
        return switched(interaction, enabled=True)

    def on_snooze(self, work: "Work", actor: Actor, interaction: AgentSession, until: datetime | None) -> AgentSession:
        return interaction

    def on_clear(self, work: "Work", actor: Actor, interaction: AgentSession) -> AgentSession:
        return interaction

    def next_turn(self, interaction: AgentSession, now: datetime, settings: "Settings") -> datetime | None:
        return model.expires_at(interaction.updated_at, interaction.tti_minutes)

    def turn(self, interaction: AgentSession, now: datetime, settings: "Settings") -> Turn[AgentSession] | None:
        return model.turn(interaction, now)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> AgentSession:
        """The customer's latest enabled session with the agent of `agent_key`; a new one when there is none.

        Without a customer it is always a new one."""
        agent_key: str | None = target.get("agent_key")
        if agent_key is None:
            raise InvalidInput("An AgentSession is found by its AI agent.", path=("agent_key",))
        customer_id: int | None = target.get("customer_id")
        if customer_id is None:
            return create(work, actor, agent_key, {})
        return open_for_customer(work, actor, customer_id, agent_key)
