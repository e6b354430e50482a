"""The position in every lane as one opaque string."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from app.core.errors import InvalidCursor

_VERSION = 1
_CHECK_BYTES = 4
_MOST_LANES = 1024
_LARGEST = 2**63 - 1

EXPIRED = (
    "The event log no longer has everything after this cursor. Read the state again, then subscribe from its cursor."
)
"""The message of CursorExpired."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """All events up to `positions[lane]` have been seen, in every lane.

    The order of cursors is partial: `a <= b` when b has seen everything that a has seen."""

    positions: tuple[int, ...]

    @classmethod
    def start(cls, lanes: int) -> "Cursor":
        """The cursor before the first event."""
        return cls((0,) * lanes)

    def advance(self, lane: int, position: int) -> "Cursor":
        """The cursor that has also seen `position`; the same cursor when it already had."""
        if self.positions[lane] >= position:
            return self
        return Cursor((*self.positions[:lane], position, *self.positions[lane + 1 :]))

    def advance_all(self, places: Iterable[tuple[int, int]]) -> "Cursor":
        """The cursor that has also seen every (lane, position) given."""
        positions = list(self.positions)
        for lane, position in places:
            positions[lane] = max(positions[lane], position)
        return Cursor(tuple(positions))

    def raised(self, by: int) -> "Cursor":
        """The cursor that has seen the same events, after their positions were raised."""
        return Cursor(tuple(position + by for position in self.positions))

    def has_seen(self, lane: int, position: int) -> bool:
        return self.positions[lane] >= position

    def __le__(self, other: "Cursor") -> bool:
        return all(mine <= theirs for mine, theirs in zip(self.positions, other.positions, strict=True))

    def __ge__(self, other: "Cursor") -> bool:
        return other <= self

    def __str__(self) -> str:
        body = bytearray([_VERSION])
        for number in (len(self.positions), *self.positions):
            rest = number
            while rest > 0x7F:
                body.append(rest & 0x7F | 0x80)
                rest >>= 7
            body.append(rest)
        return urlsafe_b64encode(bytes(body) + _check(bytes(body))).rstrip(b"=").decode()


def parse_cursor(text: str) -> Cursor:
    """Read what `str(cursor)` wrote.

    Raises InvalidCursor for anything else: forged, truncated, of another version, or spelled differently."""
    cursor = _decode(text)
    if cursor is None or str(cursor) != text:
        raise InvalidCursor("This is not a cursor of the event log.", path=("after",))
    return cursor


def _decode(text: str) -> Cursor | None:
    if len(text) > _MOST_LANES * 14:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (NotBase64, UnicodeEncodeError):
        return None
    body = raw[:-_CHECK_BYTES]
    if not body or body[0] != _VERSION or raw[-_CHECK_BYTES:] != _check(body):
        return None
    numbers, number, shift = [], 0, 0
    for byte in body[1:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number, shift = 0, 0
    if shift or not numbers or numbers[0] != len(numbers) - 1 or max(numbers) > _LARGEST:
        return None
    return Cursor(tuple(numbers[1:]))


def _check(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECK_BYTES, person=b"event cursor").digest()
