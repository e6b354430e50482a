"""The connector of the messaging bot by text message."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from app.connections.connector import ReadConnector
from app.connections.model import mirrored_key
from app.connections.model.settings import Capabilities, Check, page, poll_seconds, requests_per_second
from app.connections.service.reading import note_hint
from app.core.errors import InvalidInput
from app.directory.service.editing import customers_of
from app.interactions.connector import About, Mapped, Settings, Unmappable
from app.interactions.remote import Kept, Snapshot
from app.kinds.session.model import COMMANDS
from app.kinds.session.upstream.dirty_lemon import shapes
from app.kinds.session.upstream.dirty_lemon.applying import apply_read
from app.kinds.session.upstream.dirty_lemon.client import DirtyLemonRemote, Read
from app.kinds.session.upstream.dirty_lemon.signing import SharedSecret

if TYPE_CHECKING:
    from app.storage.work import Work

_MOST_CUSTOMERS = 10_000


def _customers(value: object, member: str) -> None:
    if not isinstance(value, list) or len(value) > _MOST_CUSTOMERS:
        raise InvalidInput(f"This takes a list of at most {_MOST_CUSTOMERS:,} ids of customers.", path=(member,))
    for number, each in enumerate(value):
        if not shapes.is_id(each):
            raise InvalidInput("This takes the id of a customer in the other system.", path=(member, number))


class _Remote(DirtyLemonRemote):
    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        read = found.value
        return apply_read(work, connection_id, settings, read, kept) if isinstance(read, Read) else None


class DirtyLemon(ReadConnector):
    """Events say which session has changed. It is then read, and written by the bot's operations."""

    system = "DIRTY_LEMON"
    description = "Dirty Lemon's messaging bot, whose sessions are read and written by its API v1."
    signature = SharedSecret()
    remote = _Remote()
    checks: ClassVar[Mapping[str, Check]] = {
        "pollSeconds": poll_seconds,
        "requestsPerSecond": requests_per_second,
        "customers": _customers,
        "page": page,
        "capabilities": Capabilities(COMMANDS),
    }

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        found = shapes.named(body)
        if found is None:
            if not shapes.is_event(body):
                raise Unmappable("This is no event of the messaging bot.")
            return None
        note_hint(work, connection_id, "/".join(found))
        return None

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        found = shapes.named(body)
        if found is None:
            return About()
        customer = customers_of(work).get_by_key(mirrored_key(connection_id, found[0]))
        return About(found[0], None if customer is None else customer.id)
