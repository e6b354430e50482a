"""The items that a subscription sends, and their subscribers."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.feed import Entry


class Item(NamedTuple):
    """One encoded answer of a subscription. `cursor` resumes the subscription after it; None where it cannot be
    resumed."""

    text: str
    entry: Entry | None = None

    @property
    def cursor(self) -> str | None:
        return None if self.entry is None else self.entry.cursor_text


class Subscriber(Protocol):
    """One running subscription."""

    @property
    def cursor(self) -> str | None:
        """The cursor of the last item that was taken; None where the subscription cannot be resumed."""

    async def next(self) -> Item:
        """Wait for the next item. Raises CursorExpired when items were lost; the subscriber has ended then."""

    def ready(self) -> Sequence[Item]:
        """A few further items that are available without waiting, to be written together."""

    def close(self) -> None:
        """Stop listening."""
