"""The connector of SuperOffice."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from app.connections.connector import ReadConnector
from app.connections.model.settings import Capabilities, Check, page, poll_seconds, requests_per_second, users
from app.connections.service.reading import note_hint, note_restored
from app.core.clock import Clock
from app.core.errors import InvalidInput
from app.interactions.connector import Mapped, Settings, Unmappable
from app.interactions.remote import Access, Hook, Kept, ListPage, Looked, Reach, Snapshot, Task
from app.kinds.chat_session.service.mirroring import MESSAGE
from app.kinds.chat_session.upstream.superoffice.access import access_of
from app.kinds.chat_session.upstream.superoffice.applying import apply_gone, apply_read
from app.kinds.chat_session.upstream.superoffice.capabilities import ABLE, PERSONAL
from app.kinds.chat_session.upstream.superoffice.client import OpenChats, Read, all_chats, read_chat
from app.kinds.chat_session.upstream.superoffice.credentials import read_credential
from app.kinds.chat_session.upstream.superoffice.deliveries import SuperOfficeSignature, read_hint
from app.kinds.chat_session.upstream.superoffice.hooks import tend_hook
from app.kinds.chat_session.upstream.superoffice.writing import look_for, send_task

if TYPE_CHECKING:
    from app.storage.work import Work

_UNABLE = frozenset(name for name, able in ABLE.items() if not able)


def _context(value: object, member: str) -> None:
    if not isinstance(value, str) or not value.isalnum():
        raise InvalidInput("This takes the tenant's context identifier, such as Cust12345.", path=(member,))


class _Remote:
    creating = frozenset({MESSAGE})
    costly: frozenset[str] = frozenset()
    settles = timedelta(seconds=15)
    newest_first = True
    mirrored_whole = False

    def __init__(self) -> None:
        self._open = OpenChats()

    def checked(self, credential: str) -> str:
        read_credential(credential)
        return credential.strip()

    def access(self, address: str, credential: str, clock: Clock) -> Access:
        return access_of(address, credential, clock)

    def cannot_with(self, credential: str) -> frozenset[str]:
        return _UNABLE if read_credential(credential).users else _UNABLE | PERSONAL

    async def changes(self, reach: Reach, cursor: str | None, at: str | None) -> ListPage:
        return ListPage(await self._open.changes(reach))

    async def list_page(self, reach: Reach, at: str | None) -> ListPage:
        return await all_chats(reach, 1 if at is None else int(at))

    async def read(self, reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
        return await read_chat(reach, key, known)

    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        read = found.value
        if isinstance(read, Read):
            return apply_read(work, connection_id, settings, read, kept)
        return apply_gone(work, connection_id, settings, found.key)

    async def tend(self, reach: Reach, hook: Hook, *, first: bool) -> bool:
        return await tend_hook(reach, hook, first=first)

    async def send(self, reach: Reach, task: Task) -> str | None:
        return await send_task(reach, task)

    async def look(self, reach: Reach, task: Task) -> Looked:
        return await look_for(reach, task)


class SuperOffice(ReadConnector):
    """Reads chats by SuperOffice's REST contract, after webhooks say what has changed, and writes there."""

    system = "SUPEROFFICE"
    description = "SuperOffice, whose chats are read and written by its REST contract."
    signature = SuperOfficeSignature()
    remote = _Remote()
    checks: ClassVar[Mapping[str, Check]] = {
        "pollSeconds": poll_seconds,
        "requestsPerSecond": requests_per_second,
        "page": page,
        "users": users,
        "contextIdentifier": _context,
        "capabilities": Capabilities(ABLE),
    }

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        hint, tenant = read_hint(body), settings.get("contextIdentifier")
        if tenant is not None and hint.context != tenant:
            raise Unmappable("The delivery is about another tenant.")
        if hint.chat is not None:
            note_hint(work, connection_id, str(hint.chat))
        elif hint.restored:
            note_restored(work, connection_id)
        return None
