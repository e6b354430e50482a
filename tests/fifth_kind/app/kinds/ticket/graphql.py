"""Tickets in the graph."""

import strawberry
from app.kinds.ticket import service
from app.kinds.ticket.model import PREFIX, TicketCommand, TicketStatus
from app.kinds.ticket.reads import MAPPINGS, ROOTS

from app.core.ids import require_id
from app.graph.context import Info
from app.graph.enums import described
from app.graph.fields import EditInput, MutationPayload, Node, argument, mutation, root
from app.graph.slice import Slice
from app.interactions.graphql import Interaction
from app.interactions.graphql.commands import viewer_may

described(TicketStatus, "Where a ticket stands.", {"NEW": "It waits for a solution.", "SOLVED": "It is solved."})


@strawberry.type(description="A ticket of the help desk.")
class Ticket(Interaction, Node):
    ticket_number: str = strawberry.field(description="The number of the ticket in its own system.")
    subject: str = strawberry.field(description="The subject of the ticket.")
    level: int = strawberry.field(description="The level of support that works on the ticket, from 1.")
    status: TicketStatus = strawberry.field(description="The status of the ticket.")


@strawberry.input(description="Another subject for a ticket.")
class UpdateTicketInput(EditInput):
    subject: str = strawberry.field(description="The subject of the ticket, 1 to 255 characters.")


@strawberry.type(description="The result of a mutation of a ticket.")
class TicketPayload(MutationPayload):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now; null after a refusal.")


@strawberry.type
class TicketQuery:
    ticket: Ticket | None = root(
        description="The ticket with a number.", ticket_number=argument(str, "The number of the ticket.")
    )


@strawberry.type
class TicketMutation:
    @mutation(description="Give a ticket another subject.", input="The ticket, with its subject.")
    async def update_ticket(self, info: Info, input: UpdateTicketInput) -> TicketPayload:
        ref = require_id(input.id, PREFIX)
        return await info.context.perform(
            input, "ticket", service.update_ticket, ref, input.subject, if_version=input.if_version
        )

    @mutation(description="Hand a ticket to the next level.", input="The ticket to hand on.")
    async def escalate_ticket(self, info: Info, input: EditInput) -> TicketPayload:
        ref = require_id(input.id, PREFIX)
        return await info.context.perform(input, "ticket", service.escalate_ticket, ref, if_version=input.if_version)


SLICE = Slice(
    query=TicketQuery,
    mutation=TicketMutation,
    types=(Ticket,),
    mappings=MAPPINGS,
    roots=ROOTS,
    additions=viewer_may({TicketCommand.ESCALATE: "hand the ticket to the next level"}),
)
"""What the kind adds to the graph."""
