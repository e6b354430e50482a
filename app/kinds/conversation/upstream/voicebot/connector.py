"""The connector of the messaging bot's inbox."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from app.connections.connector import ReadConnector
from app.connections.model.settings import (
    SIGNATURE_HEADER,
    Capabilities,
    Check,
    header,
    page,
    poll_seconds,
    requests_per_second,
    users,
)
from app.connections.service.reading import note_change, note_hint
from app.interactions.connector import Mapped, Settings
from app.interactions.remote import Kept, Snapshot
from app.kinds.conversation.model.commands import COMMANDS
from app.kinds.conversation.upstream.voicebot.applying import apply_read
from app.kinds.conversation.upstream.voicebot.client import KEEPS_NOTES, Read, VoicebotRemote
from app.kinds.conversation.upstream.voicebot.webhooks import AnySignature, conversation_in

if TYPE_CHECKING:
    from app.storage.work import Work


class _Remote(VoicebotRemote):
    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        read = found.value
        return apply_read(work, connection_id, settings, read, kept) if isinstance(read, Read) else None


class Voicebot(ReadConnector):
    """Reads the messaging bot's conversations through its lists and after webhooks, and writes with its operations."""

    system = "VOICEBOT"
    description = "The messaging bot's inbox, read and written by its REST contract."
    signature = AnySignature()
    remote = _Remote()
    checks: ClassVar[Mapping[str, Check]] = {
        "pollSeconds": poll_seconds,
        "requestsPerSecond": requests_per_second,
        "page": page,
        "users": users,
        "capabilities": Capabilities({*COMMANDS, KEEPS_NOTES}),
        SIGNATURE_HEADER: header,
    }

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        number = conversation_in(body)
        if number is None:
            note_change(work, connection_id)
        else:
            note_hint(work, connection_id, str(number))
        return None
