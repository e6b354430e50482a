"""A cache of refusals of documents by a digest of their text."""

from hashlib import blake2b
from typing import NamedTuple

import orjson

from app.core.recent import Recent
from app.execution.outcome import Refused

_MOST_BYTES = 256 * 1024
_OVERHEAD = 512
_LONGEST_TEXT = 65_536
_LONGEST_ANSWER = 16 * 1024


class Name(NamedTuple):
    """The cache key of a refusal: the text's digest, and the most tokens that documents of its caller may have."""

    digest: bytes
    most_tokens: int | None


class Refusal:
    """The cached refusal of a document."""

    def __init__(self, refused: Refused) -> None:
        self._entries = orjson.dumps(refused.entries)
        self._phase = refused.phase

    @property
    def size(self) -> int:
        """The number of bytes that it takes in an answer."""
        return len(self._entries)

    def again(self) -> Refused:
        """The error to raise."""
        return Refused(orjson.loads(self._entries), self._phase)


class Refusals:
    """The latest refusals.

    They depend on the text and on the most tokens of the caller's documents alone: a document is checked before the
    values of its variables and the permissions of its caller are read."""

    def __init__(self) -> None:
        self._recent: Recent[Refusal] = Recent(_MOST_BYTES)

    def __len__(self) -> int:
        """The number of cached refusals."""
        return len(self._recent)

    def name(self, text: str, most_tokens: int | None) -> Name | None:
        """The cache key of a text's refusal; None for one whose refusal costs less than its digest."""
        if len(text) > _LONGEST_TEXT:
            return None
        return Name(blake2b(text.encode(errors="surrogatepass"), digest_size=32).digest(), most_tokens)

    def get(self, name: Name | None) -> Refusal | None:
        """The cached refusal, or None."""
        return None if name is None else self._recent.get(name)

    def put(self, name: Name | None, refusal: Refusal) -> None:
        """Cache the refusal, unless it is so long that it would evict many others."""
        if name is not None and refusal.size <= _LONGEST_ANSWER:
            self._recent.put(name, refusal, refusal.size + _OVERHEAD)
