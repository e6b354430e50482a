"""The rules of an AgentSession for the shared commands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.connections.service import MirroredRules
from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput
from app.core.ids import GlobalId
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import MessageAuthor, is_answer
from app.interactions.model import AnyCommand, Cause, State, Turn
from app.kinds.agent_session import model
from app.kinds.agent_session.model import AgentSession, Status
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.agent_session.service.agents import PREFIX as AGENT_PREFIX
from app.kinds.agent_session.service.mirroring import outgoing, queue_changes, restored, switched
from app.kinds.agent_session.service.sessions import create, open_for_customer
from app.kinds.agent_session.settings import AgentSessionSettings

if TYPE_CHECKING:
    from app.interactions.messages import Message
    from app.settings import Settings
    from app.storage.work import Work

INPUT = "input_message"
OUTPUT = "agent_output"


class Rules(MirroredRules[AgentSession]):
    """How an AgentSession takes part in the shared commands."""

    name = model.NAME
    prefix = model.PREFIX
    reasons: Mapping[str, str] = model.REASONS
    repository = AgentSessionRepository

    def channel_key(self, interaction: AgentSession) -> str:
        return str(GlobalId(AGENT_PREFIX, interaction.agent_id))

    def state(self, interaction: AgentSession, now: datetime, settings: "Settings") -> State:
        return model.state(interaction)

    def causes(self, interaction: AgentSession, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return model.causes(interaction, settings.of(AgentSessionSettings).escalation)

    def refusal(
        self, command: AnyCommand, subject: Any, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return model.refusal(command, subject, actor, now)

    def as_received(self, interaction: AgentSession, message: "Message") -> "Message":
        """The message is the contract's event `input_message`."""
        return replace(message, event_type=message.event_type or INPUT)

    def on_customer_message(self, work: "Work", interaction: AgentSession, message: "Message") -> AgentSession:
        """The agent begins to work on it."""
        return replace(interaction, status=Status.RUNNING)

    def on_user_message(
        self, work: "Work", interaction: AgentSession, message: "Message"
    ) -> "tuple[AgentSession, Message]":
        """An answer of the agent ends its work; it is the contract's event `agent_output`.

        A user who answers takes over from the agent, and gets the session if nobody held it."""
        if message.author is MessageAuthor.USER and message.user_id is not None:
            holder = interaction.assignee_id or message.user_id
            held = replace(interaction, assignee_id=holder)
            return switched(held, enabled=held.enabled), message
        if message.author is not MessageAuthor.AI_AGENT:
            return interaction, message
        return replace(interaction, status=Status.STOPPED), replace(message, event_type=message.event_type or OUTPUT)

    def answers(self, interaction: AgentSession, message: "Message", settings: "Settings") -> bool:
        asked = model.escalation(interaction.metadata, settings.of(AgentSessionSettings).escalation) is not None
        return is_answer(message, interaction, asked=asked)

    def on_assign(self, work: "Work", actor: Actor, interaction: AgentSession, user_id: int | None) -> AgentSession:
        """A user takes over from the agent. The agent continues when nobody holds the session any more."""
        return switched(replace(interaction, assignee_id=user_id), enabled=interaction.enabled)

    def on_close(self, work: "Work", actor: Actor, interaction: AgentSession) -> AgentSession:
        return switched(interaction, enabled=False)

    def on_reopen(self, work: "Work", actor: Actor, interaction: AgentSession) -> AgentSession:
        return switched(interaction, enabled=True)

    def on_resume_bot(self, work: "Work", interaction: AgentSession) -> AgentSession:
        return replace(interaction, bot_active=interaction.enabled)

    def next_turn(self, interaction: AgentSession, now: datetime, settings: "Settings") -> datetime | None:
        return model.deleted_at(interaction)

    def turn(self, interaction: AgentSession, now: datetime, settings: "Settings") -> Turn[AgentSession] | None:
        return model.turn(interaction, now)

    def queue_changes(
        self,
        work: "Work",
        actor: Actor,
        before: AgentSession,
        after: AgentSession,
        command: AnyCommand,
        happened: InteractionEvent,
    ) -> None:
        queue_changes(work, actor, before, after, command, happened)

    def outgoing(
        self, work: "Work", interaction: AgentSession, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        return outgoing(work, interaction, action, value, message_id)

    def restored(
        self, work: "Work", interaction: AgentSession, action: str, value: object, message_id: int | None
    ) -> AgentSession:
        return restored(work, interaction, action, value, message_id)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> AgentSession:
        """The customer's latest enabled session with the agent of `agent_key`; a new one when there is none.

        Without a customer it is always a new one."""
        agent_key: str | None = target.get("agent_key")
        if agent_key is None:
            raise InvalidInput("An AgentSession needs an AI agent.", path=("agent_key",))
        customer_id: int | None = target.get("customer_id")
        if customer_id is None:
            return create(work, actor, agent_key, {})
        return open_for_customer(work, actor, customer_id, agent_key)
