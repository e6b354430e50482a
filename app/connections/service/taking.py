"""Stores the messages of a read that are not stored here yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.connections.repository.outbox import OutboxRepository
from app.connections.service.sending import adopt_message
from app.core.actor import CONNECTION
from app.core.ids import GlobalId
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import load
from app.interactions.service.recorded import Elsewhere, after_latest, record_history, record_message

if TYPE_CHECKING:
    from app.storage.work import Work


class Taking:
    """The messages of one interaction, which are given in their order. Those that ask for nobody are stored together;
    `finish` stores the last of them. One that is given twice is stored once: lists may move between two pages."""

    def __init__(self, work: "Work", ref: GlobalId) -> None:
        self._work = work
        self._ref = ref
        self._past: list[tuple[Sequence[Mapping[str, Any]], Elsewhere]] = []
        self._taken: set[str] = set()
        self._in_doubt = bool(work.use(OutboxRepository).troubled(ref.number))

    def new(self, channel: str, keys: Collection[str]) -> frozenset[str]:
        """Those of the channel's keys that no message has had."""
        messages = self._work.use(MessageRepository)
        taken = messages.taken(channel, keys)
        return frozenset(each for each in keys if each not in taken or messages.received(channel, each) is None)

    def is_ours(self, text: str | None, key: str) -> bool:
        """Whether the message is one of ours of which nobody knew whether it had arrived. If so, it is here already."""
        if not self._in_doubt:
            return False
        self.finish()
        return adopt_message(self._work, load(self._work, CONNECTION, self._ref), text, key)

    def take(self, contents: Sequence[Mapping[str, Any]], message: Elsewhere, *, asks: bool) -> None:
        """Store a message; one that `asks` may call for a human. Raises as `record_message` and `record_history` do."""
        if message.key in self._taken:
            return
        self._taken.add(message.key)
        if not asks:
            self._past.append((contents, message))
            return
        self.finish()
        latest = self._work.use(MessageRepository).latest(self._ref.number)
        placed = replace(message, sent_at=after_latest(latest, message.sent_at))
        record_message(self._work, CONNECTION, {"interaction": self._ref}, contents, placed)

    def finish(self) -> None:
        """Store what is not stored yet."""
        past, self._past = self._past, []
        if past:
            record_history(self._work, CONNECTION, load(self._work, CONNECTION, self._ref), past)
