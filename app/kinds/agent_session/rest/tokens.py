"""The client-credentials exchange: an API key's prefix and secret for an access token (RFC 6749, 4.4)."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

from app.rest import Call, Operation, Reply


async def exchange(call: Call) -> Reply:
    form = await _form(call)
    # The SDK leaves the grant out when it sends JSON.
    if form.get("grant_type", "client_credentials") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "The one grant_type is client_credentials.")
    client_id, client_secret = form.get("client_id"), form.get("client_secret")
    if client_id is None or client_secret is None:
        client_id, client_secret = _basic(call.headers.get(b"authorization", b"").decode("latin-1"))
    issued = await call.tokens.access_token(client_id, client_secret)
    if issued is None:
        return _refused(401, "invalid_client", "These are no client's credentials.")
    body = {"access_token": issued.token, "token_type": "Bearer", "expires_in": issued.expires_in}
    return Reply(body=body)


async def _form(call: Call) -> Mapping[str, str]:
    # The SDK sends a form when it is used synchronously, and JSON otherwise.
    if call.headers.get(b"content-type", b"").lower().startswith(b"application/json"):
        return {name: value for name, value in (await call.json_object()).items() if isinstance(value, str)}
    return await call.form()


def _refused(status: int, error: str, description: str) -> Reply:
    challenge = [("WWW-Authenticate", "Basic")] if status == 401 else []
    return Reply(status=status, body={"error": error, "error_description": description}, headers=challenge)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


TOKENS = (Operation("POST", "/oauth2/token", exchange, public=True),)
