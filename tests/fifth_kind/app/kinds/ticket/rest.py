"""The help desk's own contract at /desk/v1: a ticket is read by its number, and gets another subject."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from app.kinds.ticket import service
from app.kinds.ticket.model import NAME, PREFIX
from typing_extensions import TypedDict

from app.core.errors import NotFound
from app.core.ids import GlobalId
from app.rest import (
    BEARER,
    About,
    Answer,
    Call,
    Contract,
    Description,
    Operation,
    Refusal,
    Reply,
    guarded,
    in_path,
    leaf,
    one,
    picks,
    root,
    sent,
)
from app.rest.bodies import Body, Faults, Needed, Within

_TICKET = root(
    one(
        "ticket",
        "Ticket",
        tuple(map(leaf, ("id", "ticketNumber", "subject", "level", "status"))),
        **picks("ticket_number"),
    )
)
_NUMBER = in_path("ticket_number", "The ticket's number.")


class TicketBody(TypedDict):
    """A ticket."""

    number: str
    subject: str
    level: int
    status: Literal["NEW", "SOLVED"]


class ErrorBody(TypedDict):
    """Why nothing was done."""

    code: str
    message: str


class NewSubject(Body):
    """Another subject."""

    faults = Faults(MappingProxyType({"string_type": "This takes text."}))

    subject: Needed[Annotated[str, Within(1, 255)]]


async def get_ticket(call: Call) -> Reply:
    return Reply(body=_body(await _found(call)))


async def change_ticket(call: Call) -> Reply:
    found = await _found(call)
    given = await call.given(NewSubject)
    number = int(found["id"].partition("_")[2])
    await call.perform(service.update_ticket, GlobalId(PREFIX, number), given.subject)
    return Reply(body=_body(await _found(call)))


async def _found(call: Call) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = await call.read(_TICKET, ticket_number=call.path["ticket_number"])
    if found is None:
        raise NotFound("There is no such ticket.")
    return found


def _body(found: Mapping[str, Any]) -> TicketBody:
    return {
        "number": found["ticketNumber"],
        "subject": found["subject"],
        "level": found["level"],
        "status": found["status"],
    }


def refused(refusal: Refusal) -> Reply:
    """`{"code", "message"}`."""
    body = {"code": refusal.code, "message": refusal.message}
    return Reply(status=refusal.status, body=body, headers=refusal.headers)


_PATH = "/desk/v1/tickets/{ticket_number}"

CONTRACT = Contract(
    name=NAME,
    base="/desk/v1",
    operations=guarded(
        f"{NAME}:read",
        (
            Operation(
                "GET",
                _PATH,
                get_ticket,
                About(
                    "getTicket",
                    "A ticket.",
                    parameters=(_NUMBER,),
                    answer=Answer(200, "The ticket.", TicketBody),
                    refuses=(404,),
                ),
            ),
            Operation(
                "PUT",
                _PATH,
                change_ticket,
                About(
                    "changeTicket",
                    "Give a ticket another subject.",
                    parameters=(_NUMBER,),
                    body=sent(NewSubject),
                    answer=Answer(200, "The ticket as it is now.", TicketBody),
                    refuses=(404, 409),
                ),
            ),
        ),
    ),
    schemes=(BEARER,),
    refused=refused,
    description=Description(
        title="Tickets", version="1", what="The contract of the help desk, as Switchboard serves it.", error=ErrorBody
    ),
)
