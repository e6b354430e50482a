"""Exchanges client credentials for an access token (RFC 6749, 4.4)."""

import base64
import binascii
from urllib.parse import unquote_plus

from app.kinds.agent_session.rest import answers
from app.kinds.agent_session.rest.bodies import TokenRequest
from app.rest import About, Answer, Call, Operation, Reply, sent


async def exchange(call: Call) -> Reply:
    """A bearer token with its life in seconds. An OAuth error with 400 for another grant, with 401 for wrong
    credentials."""
    asked = TokenRequest.read(await _form(call)).given()
    # The SDK leaves the grant out when it sends JSON.
    if asked.get("grant_type", "client_credentials") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "The one grant_type is client_credentials.")
    client_id, client_secret = asked.get("client_id"), asked.get("client_secret")
    if client_id is None or client_secret is None:
        client_id, client_secret = _basic(call.headers.get(b"authorization", b"").decode("latin-1"))
    issued = await call.tokens.access_token(client_id, client_secret)
    if issued is None:
        return _refused(401, "invalid_client", "These are no client's credentials.")
    body = {"access_token": issued.token, "token_type": "Bearer", "expires_in": issued.expires_in}
    return Reply(body=body)


async def _form(call: Call) -> dict[str, str]:
    # The SDK sends a form when it is used synchronously, and JSON otherwise.
    if call.headers.get(b"content-type", b"").lower().startswith(b"application/json"):
        return {name: value for name, value in (await call.json_object()).items() if isinstance(value, str)}
    return dict(await call.form())


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


TOKENS = (
    Operation(
        "POST",
        "/oauth2/token",
        exchange,
        About(
            "exchange",
            "Exchange an API key's prefix and secret for an access token.",
            body=sent(TokenRequest, "application/x-www-form-urlencoded", "application/json"),
            answer=Answer(200, "The token.", answers.Token),
            otherwise=(
                Answer(
                    400,
                    "The grant is none of ours, or the body cannot be read.",
                    answers.TokenError | answers.BadRequestError,
                ),
                Answer(401, "These are no client's credentials.", answers.TokenError),
            ),
        ),
        public=True,
    ),
)
