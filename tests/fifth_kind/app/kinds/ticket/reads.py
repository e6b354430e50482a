"""How tickets lie in the tables."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from app.kinds.ticket.model import NAME, PREFIX, VIEWER_COLUMNS, Subject, TicketCommand, refusal, reply_block
from app.kinds.ticket.tables import ticket

from app.core.actor import Actor
from app.core.errors import DomainError
from app.interactions.model import AnyCommand, ReplyBlock
from app.interactions.reads.viewing import viewer_can
from app.selection.mapping import Env, Mapped, Root, RootOne, TypeMap

if TYPE_CHECKING:
    from app.settings import Settings

READ = f"{NAME}:read"


def _refusal(
    command: AnyCommand, subject: Subject, actor: Actor, now: datetime, _settings: "Settings"
) -> DomainError | None:
    return refusal(command, subject, actor, now)


def _block(subject: Subject, actor: Actor, now: datetime, _settings: "Settings") -> ReplyBlock | None:
    return reply_block(subject, actor, now)


def _number(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    return {"ticket_number": arguments["ticket_number"]}


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "Ticket",
        ticket,
        prefix=PREFIX,
        base="Interaction",
        value=NAME,
        fields={"viewerCan": viewer_can(_refusal, _block, VIEWER_COLUMNS, TicketCommand)},
        requires=READ,
    ),
)

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "ticket": RootOne(
            "Ticket",
            lambda scope, bind: scope.c.ticket_number == bind("ticket_number", sa.Text),
            _number,
            requires=READ,
        )
    }
)
