"""Which systems are reached, where, and by what token."""

from collections.abc import Mapping, Sequence

from app.connections.model import ConnectedSystem
from app.connections.model.outbox import cannot_of
from app.connections.repository import ConnectedSystemRepository
from app.core.errors import InvalidInput
from app.core.sealing import Unreadable
from app.directory.model.checks import line
from app.interactions.connector import Connector
from app.outbound import OutboundFault
from app.outbound.addresses import parse_url
from app.storage.work import Work

_TOKEN = line(4_096, blank=False)


def reachable(work: Work, connectors: Mapping[str, Connector]) -> Sequence[tuple[ConnectedSystem, str]]:
    """The connections that are not paused and whose systems are reached, each with its token; what a system cannot do
    is brought up to date. One whose token cannot be read is left out."""
    systems, found = work.use(ConnectedSystemRepository), []
    for each in systems.reached():
        connector = connectors.get(each.system)
        if connector is None or connector.remote is None or each.credential is None:
            continue
        cannot = cannot_of(connector.remote.cannot, each.settings)
        if cannot != each.cannot:
            systems.note_cannot(each.id, cannot)
        try:
            found.append((each, work.settings.sealer.unseal(each.credential)))
        except Unreadable:
            continue
    return found


def checked_address(given: str) -> str:
    """The address without a slash at its end. Raises InvalidInput."""
    try:
        url = parse_url(given)
    except OutboundFault as fault:
        raise InvalidInput(fault.message, path=("address",)) from None
    if url.query or url.fragment:
        raise InvalidInput("An address has neither a query nor a fragment.", path=("address",))
    return given.rstrip("/")


def checked_token(given: str) -> str:
    """The token. Raises InvalidInput and TooLong for what no header can hold."""
    token: str = _TOKEN(given, ("credential",))
    if not token.isascii() or not token.isprintable():
        raise InvalidInput("A token has printable characters of ASCII alone.", path=("credential",))
    return token.strip()
