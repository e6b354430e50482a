"""Persisted documents: registered by callers, or trusted by the operator."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from app.core import codes
from app.core.fairness import Caller
from app.execution import errors
from app.execution.outcome import GraphQLRequest, Phase, Refused

MOST_OF_CALLER = 500
MOST_BYTES_OF_CALLER = 512 * 1024
MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD = 200  # bytes of a short text beside its characters


def digest_of(text: str) -> str:
    """The SHA-256 of a document's text, in hex."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class _Share:
    """The documents that one caller has registered, least recently used first."""

    __slots__ = ("size", "texts")

    def __init__(self) -> None:
        self.texts: OrderedDict[str, str] = OrderedDict()
        self.size = 0

    def put(self, digest: str, text: str) -> None:
        self.texts[digest] = text
        self.size += _size(text)

    def drop(self) -> int:
        """Evict the least recently used text; the number of its bytes."""
        _, text = self.texts.popitem(last=False)
        self.size -= _size(text)
        return _size(text)


class Registered:
    """Documents registered by callers with their digests, for a while; bounded for each caller and in all.

    Callers find only their own, so that only a caller that stores more can evict documents of others."""

    def __init__(
        self,
        *,
        most: int = MOST_OF_CALLER,
        most_bytes_of_caller: int = MOST_BYTES_OF_CALLER,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.size = 0
        self._most = most
        self._most_bytes_of_caller = most_bytes_of_caller
        self._most_bytes = most_bytes
        self._shares: OrderedDict[Caller, _Share] = OrderedDict()

    def get(self, caller: Caller, digest: str) -> str | None:
        """The document that the caller has registered under the digest."""
        share = self._shares.get(caller)
        text = None if share is None else share.texts.get(digest)
        if share is not None and text is not None:
            share.texts.move_to_end(digest)
            self._shares.move_to_end(caller)
        return text

    def put(self, caller: Caller, digest: str, text: str) -> None:
        """Store a document of the caller, and evict its least recently used ones."""
        if self.get(caller, digest) is not None or _size(text) > self._most_bytes_of_caller:
            return
        share = self._shares.setdefault(caller, _Share())
        share.put(digest, text)
        self.size += _size(text)
        self._shares.move_to_end(caller)
        while share.size > self._most_bytes_of_caller or len(share.texts) > self._most:
            self.size -= share.drop()
        while self.size > self._most_bytes:
            # Of the caller who has been away for longest.
            oldest = next(iter(self._shares))
            self.size -= self._shares.pop(oldest).size


class Persisted:
    """Finds the text of a request that names its document by digest. With `only_trusted` no other documents are
    accepted."""

    def __init__(
        self, trusted: Mapping[str, str], *, only_trusted: bool = False, registered: Registered | None = None
    ) -> None:
        self._trusted = trusted
        self._only_trusted = only_trusted
        self._registered = Registered() if registered is None else registered

    def resolved(self, request: GraphQLRequest, caller: Caller) -> GraphQLRequest:
        """The request with the text of its document, which is registered if it came with its digest.

        Raises Refused for a document that is unknown, not trusted, or does not have this digest."""
        digest = request.digest
        if request.query:
            if digest is None and not self._only_trusted:
                return request
            own = digest_of(request.query)
            if digest is not None and own != digest:
                raise _refused("The hash is not that of the query.", codes.BAD_REQUEST)
            if own not in self._trusted:
                if self._only_trusted:
                    raise _not_trusted()
                self._registered.put(caller, own, request.query)
            return request
        text = self._trusted.get(digest or "")
        if text is None and digest is not None and not self._only_trusted and not request.by_id:
            text = self._registered.get(caller, digest)
        if text is not None:
            return replace(request, query=text)
        if request.by_id:
            raise _refused(f"There is no document with the documentId sha256:{digest}.", codes.UNKNOWN_DOCUMENT)
        if self._only_trusted:
            raise _not_trusted()
        # What clients look for before they send the text.
        raise _refused("PersistedQueryNotFound", codes.PERSISTED_QUERY_NOT_FOUND)


def _refused(message: str, code: str) -> Refused:
    phase = Phase.UNREGISTERED if code == codes.PERSISTED_QUERY_NOT_FOUND else Phase.DOCUMENT
    return Refused([errors.entry(message, code)], phase)


def _not_trusted() -> Refused:
    return _refused("This server runs documents alone that its operator knows.", codes.DOCUMENT_NOT_TRUSTED)


def _size(text: str) -> int:
    return len(text) + _OVERHEAD
