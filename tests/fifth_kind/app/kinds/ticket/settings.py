"""What can be set of tickets."""

from pydantic import Field, PositiveInt

from app.settings import KindSettings


class TicketSettings(KindSettings):
    """The settings of tickets alone."""

    ticket_overdue_level: PositiveInt = Field(default=3, description="From which level on a ticket needs a human.")
