"""Request bodies: read whole and inflated, within one limit."""

import zlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.types import Message, Receive

from app.core.fairness import Caller
from app.execution.compiling import Compiling
from app.rest.errors import BadRequest
from app.rest.headers import Headers

T = TypeVar("T")

LARGE_BODY = 65_536
"""Bytes of JSON up to which a body is parsed on the loop, in a fraction of a millisecond; a larger one beside it."""

GZIP = 16 + zlib.MAX_WBITS
"""The format by its name in zlib."""


async def body_of(headers: Headers, receive: Receive, limit: int, compiling: Compiling, caller: Caller) -> bytes:
    """The whole body, `limit` bytes at most, inflated where it is compressed.

    Raises BadRequest (400, 413, 415), and RateLimited when the caller's share of computing is used up."""
    compressed = b"content-encoding" in headers and _is_compressed(headers)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] != "http.request" or message.get("more_body", False) or len(body) > limit:
        body = await _read(receive, limit, message)
    if not compressed:
        return body
    return await compiling.offload(caller, partial(inflated, body, limit))


async def parsed(body: bytes, parse: Callable[[bytes], T], compiling: Compiling, caller: Caller) -> T:
    """What `parse` makes of the body, beside the loop when it is large.

    Raises RateLimited when the caller's share of computing is used up, and what `parse` raises."""
    if len(body) <= LARGE_BODY:
        return parse(body)
    return await compiling.offload(caller, partial(parse, body))


def inflated(body: bytes, limit: int) -> bytes:
    """What a gzip body holds; nothing is made beyond the limit.

    Raises BadRequest: 413 over the limit, 400 for what is not one whole gzip file."""
    inflater = zlib.decompressobj(GZIP)
    try:
        found = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest(400, "The request body is not gzip, as its Content-Encoding says.") from None
    if len(found) > limit:
        raise _too_large(limit)
    if not inflater.eof or inflater.unused_data:
        raise BadRequest(400, "The request body is not one whole gzip file.")
    return found


async def _read(receive: Receive, limit: int, message: Message) -> bytes:
    """The body as it comes after its first message. Raises BadRequest (413) as soon as it is over the limit, or (400)
    when the client left."""
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise BadRequest(400, "The request body is incomplete.")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()


def _is_compressed(headers: Headers) -> bool:
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding in (b"gzip", b"x-gzip"):
        return True
    if encoding not in (b"", b"identity"):
        raise BadRequest(415, "The request body may be compressed by gzip alone.", (b"accept-encoding", b"gzip"))
    return False


def _too_large(limit: int) -> BadRequest:
    return BadRequest(413, f"The request body may have {limit:,} bytes at most.")
