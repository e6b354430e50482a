"""The kind as the registry lists it."""

from app.kinds.ticket.graphql import SLICE
from app.kinds.ticket.model import TicketStatus
from app.kinds.ticket.rest import CONTRACT
from app.kinds.ticket.service import Rules
from app.kinds.ticket.settings import TicketSettings

from app.graph.enums import statuses_of
from app.interactions.graphql.targets import Target
from app.interactions.kind import InteractionKind

kind = InteractionKind(
    rules=Rules(),
    description="A ticket of the help desk.",
    customers="The help desk. Its exchanges are Tickets.",
    slice=SLICE,
    contract=CONTRACT,
    settings=TicketSettings,
    targets=(Target("ticket_subject", "The subject of a new Ticket."),),
    statuses=statuses_of(TicketStatus, "Ticket"),
)
