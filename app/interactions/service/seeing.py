"""Checks of the latest message that a caller has seen."""

from typing import TYPE_CHECKING

from app.core.errors import InvalidInput, NewerMessage
from app.core.ids import GlobalId
from app.interactions.model import Interaction
from app.interactions.repository.messages import MessageRepository
from app.interactions.repository.waits import WaitRepository

if TYPE_CHECKING:
    from app.storage.database import Work


def require_own(work: "Work", found: Interaction, message: GlobalId, path: str) -> None:
    """Raise InvalidInput for a message that never belonged to the interaction; it may have been deleted."""
    if not work.use(MessageRepository).belongs(message.number, found.id):
        raise InvalidInput(f"The interaction has no message {message}.", path=(path,))


def require_latest(work: "Work", found: Interaction, seen: GlobalId | None) -> None:
    """Raise NewerMessage when a message arrived after the latest one that the caller has seen, and InvalidInput for a
    message of another interaction."""
    if seen is None:
        return
    require_own(work, found, seen, "if_latest_message_id")
    newer = work.use(WaitRepository).newer_than(found.id, seen.number)
    if newer is not None:
        raise NewerMessage(
            "A newer message has arrived. Read it, then decide again.", message_id=newer, path=("if_latest_message_id",)
        )
