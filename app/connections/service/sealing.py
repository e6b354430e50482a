"""Seals and unseals the secrets of connections."""

from datetime import datetime

from app.connections.model import ConnectedSystem
from app.core.sealing import Unreadable
from app.storage.work import Work


def sealed(work: Work, secret: str) -> str:
    """The secret in its stored form. Raises NoSecretsKey."""
    return work.settings.sealer.seal(secret)


def opened(work: Work, system: ConnectedSystem, now: datetime) -> list[str]:
    """The secrets that are valid now and can be read, newest first."""
    kept = [system.secret]
    if system.former_until is not None and now < system.former_until:
        kept.append(system.former_secret)
    sealer, found = work.settings.sealer, []
    for each in kept:
        if each is not None:
            try:
                found.append(sealer.unseal(each))
            except Unreadable:
                continue
    return found
