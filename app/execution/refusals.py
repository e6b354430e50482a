"""Why documents were refused, kept by a digest of their text."""

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
    """What a refusal is kept by: the text's digest, and the most tokens that its caller's documents may have."""

    digest: bytes
    most_tokens: int | None


class Refusal:
    """The refusal of a document, kept to answer the same document again."""

    def __init__(self, refused: Refused) -> None:
        self._entries = orjson.dumps(refused.entries)
        self._phase = refused.phase

    @property
    def size(self) -> int:
        """How many bytes of an answer it is."""
        return len(self._entries)

    def again(self) -> Refused:
        """What to raise."""
        return Refused(orjson.loads(self._entries), self._phase)


class Refusals:
    """The refusals that were told lately.

    They depend on the text alone, and on how long the caller's documents may be: a document is checked before the
    values of its variables and the permissions of its caller are looked at."""

    def __init__(self) -> None:
        self._recent: Recent[Refusal] = Recent(_MOST_BYTES)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._recent)

    def name(self, text: str, most_tokens: int | None) -> Name | None:
        """What the refusal of a text is kept by; None for one whose refusal costs less than its digest."""
        if len(text) > _LONGEST_TEXT:
            return None
        return Name(blake2b(text.encode(errors="surrogatepass"), digest_size=32).digest(), most_tokens)

    def get(self, name: Name | None) -> Refusal | None:
        """The refusal that is kept under the name."""
        return None if name is None else self._recent.get(name)

    def put(self, name: Name | None, refusal: Refusal) -> None:
        """Have `get` find it, unless it is so long that it would push out many others."""
        if name is not None and refusal.size <= _LONGEST_ANSWER:
            self._recent.put(name, refusal, refusal.size + _OVERHEAD)
