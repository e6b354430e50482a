"""What a subscription sends, and who takes it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.feed import Entry


class Item(NamedTuple):
    """One answer of a subscription, encoded; `cursor` is what to go on from after it, where there is such a thing."""

    text: str
    entry: Entry | None = None

    @property
    def cursor(self) -> str | None:
        return None if self.entry is None else self.entry.cursor_text


class Subscriber(Protocol):
    """One running subscription."""

    @property
    def cursor(self) -> str | None:
        """What to go on from after what was taken, or after nothing; None where there is no such thing."""

    async def next(self) -> Item:
        """The next item. Raises CursorExpired when what comes next is lost; then it has ended."""

    def ready(self) -> Sequence[Item]:
        """The items after it that are there already: a handful, so that they go out in one write."""

    def close(self) -> None:
        """Listen no more."""
