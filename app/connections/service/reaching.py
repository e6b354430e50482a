"""Which systems are reached, at which address, with which token."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.connections.events import ConnectionUpdated
from app.connections.model import ConnectedSystem, Fault
from app.connections.model.outbox import cannot_of
from app.connections.repository import ConnectedSystemRepository
from app.connections.service.finding import tell
from app.connections.service.sealing import opened
from app.core.actor import SYSTEM
from app.core.errors import InvalidInput
from app.core.sealing import Unreadable
from app.directory.model.checks import line
from app.interactions.connector import Connector
from app.interactions.remote import Hook
from app.outbound import OutboundFault
from app.outbound.addresses import parse_url
from app.storage.work import Work

_TOKEN = line(4_096, blank=False)


class Reachable(NamedTuple):
    """A connection whose system is reached, its token, and the URL for its system's deliveries; None when this server
    does not know its own address."""

    system: ConnectedSystem
    token: str
    hook: Hook | None


def reachable(work: Work, connectors: Mapping[str, Connector]) -> Sequence[Reachable]:
    """The connections that are not paused and whose systems are reached. What a system cannot do is updated on the way.
    A connection with an unreadable token is left out, and at fault until it can be read."""
    systems, found = work.use(ConnectedSystemRepository), list[Reachable]()
    for each in systems.reached():
        connector = connectors.get(each.system)
        if connector is None or connector.remote is None or each.credential is None:
            continue
        try:
            token = work.settings.sealer.unseal(each.credential)
        except Unreadable:
            _note_fault(work, each, Fault.SECRET_UNREADABLE.value)
            continue
        _note_fault(work, each, None)
        cannot = cannot_of(connector.remote.cannot_with(token), each.settings)
        if cannot != each.cannot:
            systems.note_cannot(each.id, cannot)
        found.append(Reachable(each, token, _hook(work, each)))
    return found


def _note_fault(work: Work, system: ConnectedSystem, fault: str | None) -> None:
    if system.fault != fault and (fault is not None or opened(work, system, work.now)):
        work.use(ConnectedSystemRepository).note_fault(system.id, fault)
        tell(work, SYSTEM, system, ConnectionUpdated)


def _hook(work: Work, system: ConnectedSystem) -> Hook | None:
    own, secrets = work.settings.public_url, opened(work, system, work.now)
    if own is None or not secrets:
        return None
    return Hook(f"{str(own).rstrip('/')}{system.hook_path}", secrets[0], f"Switchboard: {system.name}"[:100])


def checked_address(given: str) -> str:
    """The address without a trailing slash. Raises InvalidInput."""
    try:
        url = parse_url(given)
    except OutboundFault as fault:
        raise InvalidInput(fault.message, path=("address",)) from None
    if url.query or url.fragment:
        raise InvalidInput("An address must not have a query or a fragment.", path=("address",))
    return given.rstrip("/")


def checked_token(given: str) -> str:
    """The token. Raises InvalidInput and TooLong when a header cannot hold it."""
    token: str = _TOKEN(given, ("credential",))
    if not token.isascii() or not token.isprintable():
        raise InvalidInput("A token has only printable ASCII characters.", path=("credential",))
    return token.strip()
