"""Tickets: rows in, models out."""

from app.kinds.ticket.model import Ticket
from app.kinds.ticket.tables import ticket

from app.interactions.repository.kinds import KindRepository
from app.interactions.tables import interaction


class TicketRepository(KindRepository[Ticket]):
    """Named queries over tickets."""

    table = ticket
    model = Ticket

    def open_of(self, customer_id: int) -> Ticket | None:
        """Lock and read the customer's newest ticket that is not solved."""
        newest = self._select.where(interaction.c.customer_id == customer_id, interaction.c.state == "OPEN")
        return self._whole(self._one(newest.order_by(interaction.c.id.desc()).limit(1)))
