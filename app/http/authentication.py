"""Who a request's headers say is calling."""

from app.core.actor import Actor
from app.core.credentials import KnownKeys
from app.core.errors import Unauthenticated, Unavailable
from app.rest.errors import BadRequest, later
from app.rest.headers import Headers

CREDENTIALS = b"Authorization, X-API-Key"
"""The headers on which an answer depends because they say who asks."""

_BEARER = b"Bearer "


async def authenticate(headers: Headers, keys: KnownKeys) -> Actor:
    """Who a request's headers say is calling. Raises BadRequest (401, or 503 while nobody can be asked)."""
    key = presented_key(headers)
    message = "Send an API key or access token as Authorization: Bearer <key>, or as x-api-key."
    try:
        if key:
            return await keys.admitted(key)
    except Unavailable as error:
        raise later(error) from None
    except Unauthenticated as error:
        message = error.message
    raise refused(message)


def refused(message: str) -> BadRequest:
    """The answer to who is not let in."""
    return BadRequest(401, message, (b"www-authenticate", b"Bearer"), code=Unauthenticated.code)


def presented_key(headers: Headers) -> str:
    """The key in a request's headers; empty when there is none."""
    authorization, api_key = headers.get(b"authorization"), headers.get(b"x-api-key")
    if authorization is not None and authorization.startswith(_BEARER):  # as nearly all clients write it
        return authorization[len(_BEARER) :].decode("latin-1").strip()
    return key_of(
        authorization.decode("latin-1") if authorization is not None else None,
        api_key.decode("latin-1") if api_key is not None else None,
    )


def key_of(authorization: str | None, api_key: str | None) -> str:
    """The key of a request's `Authorization: Bearer …` or `x-api-key` header; empty when there is none."""
    if authorization is not None:
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return credentials.strip()
    return (api_key or "").strip()
