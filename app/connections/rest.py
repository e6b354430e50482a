"""The endpoint of deliveries: POST /hooks/{connection}/{token}."""

import asyncio
from typing import Any

from typing_extensions import TypedDict

from app.connections.model import HOOKS
from app.connections.service import Verdict, accept
from app.connections.service.systems import Connectors
from app.core.errors import Unauthenticated
from app.core.text import is_storable
from app.rest import About, Answer, Call, Contract, Description, Operation, Refusal, Reply, in_path, sent
from app.rest.errors import BadRequest

_PAUSE = 30
"""After how many seconds a sender is asked to try again."""


class Received(TypedDict):
    received: bool


class Refused(TypedDict):
    code: str
    message: str


class Error(TypedDict):
    error: Refused


class _Door:
    """Takes deliveries for these connectors, and sets `taken` when one is stored."""

    def __init__(self, connectors: Connectors, taken: asyncio.Event) -> None:
        self._connectors = connectors
        self._taken = taken

    async def take(self, call: Call) -> Reply:
        body = await call.body()
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = "\0"
        if not is_storable(text):
            raise BadRequest(400, "The request body has to be JSON in UTF-8.")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers.items()}
        verdict = await call.perform(
            accept, self._connectors, call.path["connection"], call.path["token"], headers, text
        )
        match verdict:
            case Verdict.WRONG_SIGNATURE:
                raise Unauthenticated("The signature is missing, too old, or made with another secret.")
            case Verdict.UNREADABLE_SECRET:
                raise _later("The server cannot check signatures now.")
            case Verdict.FULL:
                raise _later("Too many deliveries of this connection wait already.")
            case Verdict.KEPT:
                self._taken.set()
        return Reply(body=Received(received=True))


def refused(refusal: Refusal) -> Reply:
    """`{"error": {"code", "message"}}`."""
    error = Error(error={"code": refusal.code, "message": refusal.message})
    return Reply(status=refusal.status, body=error, headers=refusal.headers)


def _later(message: str) -> BadRequest:
    return BadRequest(503, message, (b"retry-after", str(_PAUSE).encode()), code="UNAVAILABLE")


def contract(connectors: Connectors, taken: asyncio.Event) -> Contract:
    """The contract of deliveries to these connectors. It sets `taken` when one is stored."""
    return Contract(
        name="hooks",
        base=HOOKS,
        operations=(
            Operation(
                "POST",
                f"{HOOKS}/{{connection}}/{{token}}",
                _Door(connectors, taken).take,
                About(
                    "deliver",
                    "Take a signed delivery in.",
                    parameters=(
                        in_path("connection", "The id of the connection."),
                        in_path("token", "The token of the connection's `hookPath`."),
                    ),
                    body=sent(dict[str, Any]),
                    answer=Answer(200, "It is kept, or was before.", Received),
                    refuses=(400, 401, 404, 429, 503),
                ),
                public=True,
            ),
        ),
        schemes=(),
        refused=refused,
        description=Description(
            title="Hooks",
            version="1",
            what="Deliveries of connected systems, each signed as its system does: as Standard Webhooks have it where "
            "docs/connections.md says nothing else. It says what a delivery holds, too.",
            error=Error,
        ),
    )
