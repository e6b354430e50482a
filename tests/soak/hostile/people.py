"""The users of a run: an innocent one, one with all permissions who attacks, and one without any."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from app.core.actor import GENERAL_PERMISSIONS, permission_name
from app.registry import KINDS
from app.storage.event_log import Cursor, parse_cursor
from tests.graph.running import mutation_text
from tests.soak.hostile.databases import crowd
from tests.soak.hostile.innocent import Errand
from tests.soak.hostile.target import Target
from tests.soak.hostile.wire import Line, post
from tests.soak.processes import KEY

ALL_PERMISSIONS = (*GENERAL_PERMISSIONS, *(f"{kind.name}:{verb}" for kind in KINDS for verb in ("read", "write")))

_OF_EACH_KIND = 12
_PATIENCE = 60.0
_USER = mutation_text("createUser", "user { id }")
_API_KEY = mutation_text("createApiKey", "apiKey { id expiresAt permissions } secret")
_LASTING = """query($kind: InteractionKind!, $first: Int!) {
  interactions(first: $first, filter: {kinds: [$kind], states: [OPEN], attentionNeeded: true}) {
    nodes { id customer { id } } } }"""
"""Those that need a human: time neither closes nor deletes them, of whatever kind they are."""
_LASTS_LONGEST = "chat_session"
"""The kind of the innocent's interaction: a chat stays until somebody deletes it, whatever its attention is."""
_CURSOR = "{ events { cursor } }"


class Refused(Exception):
    """The server refused what prepares a run."""


@dataclass(frozen=True)
class Cast:
    """Whom a run has: what the attacks are given, and the errand of the innocent."""

    target: Target
    errand: Errand


async def ask(port: int, key: str, document: str, **variables: object) -> Any:
    """The data of an answer. Raises Refused where there are errors."""
    line = Line(port, _PATIENCE)
    try:
        answer = orjson.loads((await line.ask(post(document, variables, key=key))).body)
    finally:
        line.close()
    if "errors" in answer or any(value and value.get("errors") for value in answer["data"].values()):
        raise Refused(orjson.dumps(answer).decode()[:1_000])
    return answer["data"]


async def new_user(port: int, name: str, permissions: tuple[str, ...]) -> str:
    """Make a user; its id."""
    given = {"name": name, "login": name, "permissions": [permission_name(each) for each in permissions]}
    found: str = (await ask(port, KEY, _USER, input=given))["createUser"]["user"]["id"]
    return found


async def new_key(port: int, by: str, **given: object) -> dict[str, Any]:
    """Make an API key with another one; the key with its `secret`."""
    made = (await ask(port, by, _API_KEY, input={"name": "soak", **given}))["createApiKey"]
    return {**made["apiKey"], "secret": made["secret"]}


async def key_of_new_user(port: int, name: str, permissions: tuple[str, ...]) -> str:
    """The secret of a key of a new user."""
    user = await new_user(port, name, permissions)
    secret: str = (await new_key(port, KEY, userId=user))["secret"]
    return secret


async def cast(port: int, database_url: str, messages: int) -> Cast:
    """Make the users, choose the interactions, and give one customer so many messages."""
    found = {kind.name: await _lasting(port, kind.name.upper()) for kind in KINDS}
    chosen = found[_LASTS_LONGEST][0]
    refs = [node["id"] for nodes in found.values() for node in nodes if node is not chosen]
    lanes = len(parse_cursor((await ask(port, KEY, _CURSOR))["events"]["cursor"]).positions)
    able, innocent, nobody = await asyncio.gather(
        key_of_new_user(port, "hostile", ALL_PERMISSIONS),
        key_of_new_user(port, "innocent", ALL_PERMISSIONS),
        key_of_new_user(port, "nobody", ()),
    )
    target = Target(
        port=port,
        database_url=database_url,
        admin=KEY,
        able=able,
        nobody=nobody,
        refs=tuple(refs),
        crowded=await crowd(database_url, messages),
        beginning=str(Cursor.start(lanes)),
    )
    return Cast(target, Errand(port, innocent, chosen["id"], chosen["customer"]["id"]))


async def _lasting(port: int, kind: str) -> list[dict[str, Any]]:
    answer = await ask(port, KEY, _LASTING, kind=kind, first=_OF_EACH_KIND)
    found: list[dict[str, Any]] = answer["interactions"]["nodes"]
    return found
