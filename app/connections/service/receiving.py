"""Receives deliveries: verified, then stored before they are parsed."""

import hmac
from collections.abc import Mapping
from enum import Enum, auto

from app.connections.events import ConnectionDelivered, ConnectionRefused
from app.connections.model import PREFIX, ConnectedSystem, Fault
from app.connections.model.settings import with_signature
from app.connections.repository import ConnectedSystemRepository, InboxRepository
from app.connections.service.finding import tell
from app.connections.service.sealing import opened
from app.connections.service.systems import Connectors
from app.connections.signing import StandardWebhooks
from app.core.actor import SYSTEM, Actor
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.interactions.connector import About
from app.storage.work import Work

MOST_OPEN = 10_000
"""How many deliveries of one connection may wait or be parked. Further ones are refused with 503."""

LONGEST_KEY = 255

_USUAL = StandardWebhooks()


class Verdict(Enum):
    """What was decided about a delivery on arrival."""

    KEPT = auto()
    REPEATED = auto()
    WRONG_SIGNATURE = auto()
    UNREADABLE_SECRET = auto()
    FULL = auto()


def accept(
    work: Work,
    actor: Actor,
    connectors: Connectors,
    ref: str,
    token: str,
    headers: Mapping[str, str],
    body: str,
    *,
    most_open: int = MOST_OPEN,
) -> Verdict:
    """Store a signed delivery to be applied later. Returns the verdict; what is recorded with it is kept in any case.

    Whoever knows the path may deliver, so the actor may be anonymous. Raises NotFound for any other path."""
    systems, inbox = work.use(ConnectedSystemRepository), work.use(InboxRepository)
    system = _at(systems, ref, token)
    secrets = opened(work, system, work.now)
    if not secrets:
        if system.fault is None:
            systems.note_fault(system.id, Fault.SECRET_UNREADABLE.value)
            tell(work, SYSTEM, system, ConnectionRefused)
        return Verdict.UNREADABLE_SECRET
    connector = connectors.get(system.system)
    signature = _USUAL if connector is None else connector.signature
    headers = with_signature(system.settings, headers)
    key = signature.key(headers, body)
    signed = any(signature.is_made_with(secret, headers, body) for secret in secrets)
    if len(key) > LONGEST_KEY or not signed:
        systems.note_refusal(system.id, work.now)
        if not _was_refused(system):
            tell(work, SYSTEM, system, ConnectionRefused)
        return Verdict.WRONG_SIGNATURE
    if inbox.has(system.id, key):
        return Verdict.REPEATED
    if inbox.count_open(system.id, most_open) >= most_open:
        return Verdict.FULL
    about = About() if connector is None else connector.about(work, system.id, system.settings, body)
    kept = inbox.add_if_new(system.id, key, body, about, work.now)
    systems.note_delivery(system.id, work.now)
    if system.last_delivery_at is None or system.fault is not None or _was_refused(system):
        tell(work, SYSTEM, system, ConnectionDelivered)
    return Verdict.KEPT if kept else Verdict.REPEATED


def _at(systems: ConnectedSystemRepository, ref: str, token: str) -> ConnectedSystem:
    """The connection at this path, locked. Raises NotFound."""
    found = parse_id(ref)
    if found is not None and found.prefix == PREFIX:
        # Checked before it is locked: a request without the right token must not delay others.
        seen = systems.kept(found.number)
        if seen is not None and hmac.compare_digest(seen.token.encode(), token.encode()):
            locked = systems.kept(found.number, for_update=True)
            if locked is not None:
                return locked
    raise NotFound("There is nothing at this path.")


def _was_refused(system: ConnectedSystem) -> bool:
    """Whether the latest delivery was refused."""
    last, refused = system.last_delivery_at, system.last_refused_at
    return refused is not None and (last is None or refused > last)
