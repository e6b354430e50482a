"""Systems whose credential is one fixed token."""

from app.connections.service.reaching import checked_token
from app.core.clock import Clock
from app.interactions.remote import Entry, Send


class Bearer:
    """Authenticates to one address with one fixed token."""

    unauthorized = frozenset({401, 403})

    def __init__(self, address: str, token: str) -> None:
        self._entry = Entry(address, {"authorization": f"Bearer {token}"})

    def has(self, user: str) -> bool:
        return False

    async def entry(self, send: Send, user: str | None) -> Entry:
        return self._entry

    def left(self, entry: Entry, status: int) -> bool:
        return False


class BearerRemote:
    """The part of a `Remote` that handles such a credential."""

    def checked(self, credential: str) -> str:
        return checked_token(credential)

    def access(self, address: str, credential: str, clock: Clock) -> Bearer:
        return Bearer(address, credential)
