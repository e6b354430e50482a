"""What can be done to a ticket beyond what all kinds have, and its rules as the shared commands ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.kinds.ticket import model
from app.kinds.ticket.events import Escalated
from app.kinds.ticket.model import Ticket, TicketCommand, TicketStatus
from app.kinds.ticket.repository import TicketRepository
from app.kinds.ticket.settings import TicketSettings

from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput, InvalidTransition
from app.core.ids import GlobalId
from app.directory.repository import CustomerRepository
from app.interactions.model import AnyCommand, Cause, Command, State
from app.interactions.service.change import begin, open_interaction, write
from app.interactions.service.kind_rules import DefaultRules

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.work import Work


class Rules(DefaultRules[Ticket]):
    """How a ticket takes part in the shared commands."""

    name = model.NAME
    prefix = model.PREFIX
    reasons: Mapping[str, str] = model.REASONS
    repository = TicketRepository

    def state(self, interaction: Ticket, now: datetime, settings: "Settings") -> State:
        return model.state(interaction)

    def causes(self, interaction: Ticket, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return model.causes(interaction, settings.of(TicketSettings).ticket_overdue_level)

    def refusal(
        self, command: AnyCommand, subject: Any, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return model.refusal(command, subject, actor, now)

    def on_close(self, work: "Work", actor: Actor, interaction: Ticket) -> Ticket:
        return replace(interaction, status=TicketStatus.SOLVED)

    def on_reopen(self, work: "Work", actor: Actor, interaction: Ticket) -> Ticket:
        return replace(interaction, status=TicketStatus.NEW)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> Ticket:
        """The customer's newest open ticket; a new one when there is none."""
        customer_id: int | None = target.get("customer_id")
        if customer_id is None:
            raise InvalidInput("A ticket is found by its customer.", path=("customer_id",))
        if work.use(CustomerRepository).get(customer_id, for_update=True) is None:
            raise InvalidInput("There is no such customer.", path=("customer_id",))
        found = work.use(TicketRepository).open_of(customer_id)
        if found is not None:
            return found
        subject = target.get("ticket_subject")
        new = Ticket(
            id=0,
            customer_id=customer_id,
            ticket_number=work.ids.uuid(),
            subject="" if subject is None else model.SUBJECT(subject, ("ticket_subject",)),
            created_at=work.now,
            updated_at=work.now,
        )
        return open_interaction(work, actor, new, work.use(TicketRepository).add)


def update_ticket(work: "Work", actor: Actor, ref: GlobalId, subject: str, *, if_version: int | None = None) -> Ticket:
    """Give the ticket another subject, 1 to 255 characters. Raises InvalidInput, TooLong, and what `begin` raises."""
    before: Ticket = begin(work, actor, ref, Command.UPDATE, if_version=if_version)
    return write(work, actor, before, replace(before, subject=model.SUBJECT(subject, ("subject",))), Command.UPDATE)


def escalate_ticket(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Ticket:
    """Hand the ticket to the next level. Raises InvalidTransition after the last one, and what `begin` raises."""
    before: Ticket = begin(work, actor, ref, TicketCommand.ESCALATE, if_version=if_version)
    level = before.level + 1
    if level > model.LAST_LEVEL:
        raise InvalidTransition("The ticket is at the last level.", path=("id",))
    return write(work, actor, before, replace(before, level=level), TicketCommand.ESCALATE, Escalated(level=level))
