"""Whether a chat is open, and why it needs a human."""

from collections.abc import Mapping
from dataclasses import replace

from app.interactions.model import MISSED, Cause, Level, State
from app.kinds.chat_session.model.session import CLOSED, QUEUES, ChatSession, ChatSessionStatus

URGENT_ALERT = 3
"""The AlertLevel from which on a human is needed urgently."""

REASONS: Mapping[str, str] = {
    "ALERT": "The alert level of a chat is above 0.",
    "TRANSFER": "A chat waits for the user it is being transferred to.",
    "QUEUED": "A chat waits in its topic's queue.",
}


def state(session: ChatSession) -> State:
    """CLOSED once the chat has ended, unless it is an open request to a human. A chat is never snoozed."""
    return State.CLOSED if session.status in CLOSED else State.OPEN


def causes(session: ChatSession) -> list[Cause]:
    """The reasons why the chat needs a human. Of equal reasons, the one that counts first comes first."""
    found = []
    if session.alert_level > 0:
        level = Level.URGENT if session.alert_level >= URGENT_ALERT else Level.HIGH
        found.append(Cause("ALERT", level, "clearing attention, which sets the alert level to 0", clearable=True))
    if session.transfer_to_id is not None:
        ends = "accepting, rejecting or cancelling the transfer"
        found.append(Cause("TRANSFER", Level.HIGH, ends, user_id=session.transfer_to_id))
    if session.status is ChatSessionStatus.IN_QUEUE:
        found.append(Cause("QUEUED", Level.HIGH, "picking the chat up or closing it"))
    elif session.status in QUEUES:
        found.append(Cause(MISSED, Level.HIGH, "picking the chat up or closing it"))
    return found


def without_alert(session: ChatSession) -> ChatSession:
    """The chat after clearAttention."""
    return replace(session, alert_level=0)
