"""Decodes query strings and forms (application/x-www-form-urlencoded)."""

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

PIECE = 4_096
"""Bytes that are decoded at once. No other thread can run while an escaped text is split and put together again, which
takes 20 ms for a whole megabyte."""


def decoded(raw: bytes, most: int) -> list[tuple[str, str]]:
    """The names with their values, in order; a value that is absent is empty.

    Raises ValueError for more than so many, and for what is neither ASCII nor escaped UTF-8."""
    raw.decode("ascii")
    if raw.count(b"&") >= most:
        raise ValueError("there are too many parameters")
    pairs = []
    for pair in raw.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            pairs.append((_text(name), _text(value)))
    return pairs


def _text(escaped: bytes) -> str:
    return b"".join(map(unquote_to_bytes, _pieces(escaped.replace(b"+", b" ")))).decode()


def _pieces(escaped: bytes) -> Iterator[bytes]:
    """The text in pieces that do not split an escape."""
    start = 0
    while start < len(escaped):
        end = start + PIECE
        if end < len(escaped):
            cut = escaped.rfind(b"%", end - 2, end)
            end = end if cut < 0 else cut
        yield escaped[start:end]
        start = end
