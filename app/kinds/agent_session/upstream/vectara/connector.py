"""The connector of the AI agents' platform."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from app.connections.connector import ReadConnector
from app.connections.model.settings import Capabilities, Check, flag, page, poll_seconds, requests_per_second
from app.connections.service.reading import KEEPS_DELETED, note_hint
from app.connections.signing import StandardWebhooks
from app.core.errors import InvalidInput
from app.interactions.connector import Mapped, Settings
from app.interactions.remote import Kept, Snapshot
from app.kinds.agent_session.model import COMMANDS
from app.kinds.agent_session.model.agent import key as checked_key
from app.kinds.agent_session.upstream.vectara.applying import apply_read
from app.kinds.agent_session.upstream.vectara.client import Read, VectaraRemote
from app.kinds.agent_session.upstream.vectara.deliveries import session_in

if TYPE_CHECKING:
    from app.storage.work import Work


def _agents(value: object, member: str) -> None:
    if not isinstance(value, list) or not value:
        raise InvalidInput("This takes a list of keys of agents.", path=(member,))
    for each in value:
        checked_key(each, (member,))


class _Remote(VectaraRemote):
    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        read = found.value
        return apply_read(work, connection_id, settings, read, kept) if isinstance(read, Read) else None


class Vectara(ReadConnector):
    """Walks the sessions of the platform's agents, and writes with its operations. The platform tells of nothing, but
    the services that talk to its agents may."""

    system = "VECTARA"
    description = "Vectara's agents, whose sessions are read and written by its API v2."
    signature = StandardWebhooks()
    remote = _Remote()
    checks: ClassVar[Mapping[str, Check]] = {
        "pollSeconds": poll_seconds,
        "requestsPerSecond": requests_per_second,
        "agents": _agents,
        "page": page,
        KEEPS_DELETED: flag,
        "capabilities": Capabilities(COMMANDS),
    }

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        told, wanted = session_in(body), settings.get("agents")
        if not isinstance(wanted, list) or told.agent_key in wanted:
            note_hint(work, connection_id, f"{told.agent_key}/{told.session_key}")
        return None
