"""Destinations that want nothing of what the benchmark does."""

from collections.abc import Mapping

import orjson
from cryptography.fernet import Fernet

from benchmarks.cases import request
from benchmarks.client import BenchmarkError, ask

MANY = 1_000

_CREATE = """mutation($input: CreateDestinationInput!) {
  createDestination(input: $input) { errors { message } }
}"""
_DOCUMENT = 'subscription { interactionChanged(filter: { labels: ["none"] }) { cursor } }'
_ADDRESS = "http://127.0.0.1:9/"


def settings_for_destinations() -> Mapping[str, str]:
    """What a server needs for them."""
    return {
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.0/8",
    }


async def create_first(port: int) -> None:
    """Make one; the server copies it. Each has a document of its own, with a label that no interaction has.

    Raises BenchmarkError."""
    given = {"name": "Bench", "address": _ADDRESS, "document": _DOCUMENT}
    answer = orjson.loads(await ask(port, request(_CREATE, {"input": given})))
    if answer.get("errors") or answer["data"]["createDestination"]["errors"]:
        raise BenchmarkError(f"The server answered: {answer}")
