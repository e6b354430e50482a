"""One command sent over REST to one interaction and over GraphQL to its twin: what comes of it has to be the same."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2
import orjson
import sqlalchemy as sa

from app.interactions.erased import INTERACTION
from app.interactions.service.deadlines import fire_due
from app.interactions.service.erasing import erase_part
from app.interactions.tables import erasing
from app.rest import Contract
from app.rest.statuses import STATUSES
from app.storage.event_log import event_log
from app.storage.work import Work
from tests.graph.running import mutation_text
from tests.kinds.rest import House
from tests.serving import PATIENCE

STATE = """
__typename state botActive version unreadCustomerMessagesCount labels
customer { system }
attention { needed reason reasons level since deadline }
messages { nodes { author text status sentAt contents { __typename } } }
"""

# What tells twins apart in an event.
_NAMES = ("message_id", "note_id", "suggested_message", "customer_id")
# The changes that do so: of two chats of one user one comes first.
_RANKS = ("rank",)


class Step(NamedTuple):
    """A request over REST."""

    method: str
    path: str
    body: Any = None
    actor: str = "ada"


@dataclass(frozen=True, kw_only=True)
class Case:
    """In texts `{twin}` is the twin's own name, `{id}` its id in the graph, and `{made}` the id in the last answer of
    `before`, which are requests that both twins get first. `code` is the refusal's, if one is due; with `silent` REST
    does not tell that nothing happened."""

    name: str
    method: str
    path: str
    body: Any = None
    mutation: str
    input: Mapping[str, Any]
    code: str | None = None
    actor: str = "bo"
    later: float = 1
    before: tuple[Step | tuple[str, str, Any], ...] = field(default=())
    silent: bool = False


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The value with the placeholders in its texts filled in."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    return value


Names = Mapping[str, str]
"""What stands for the placeholders of one twin."""


async def compare(house: House, contract: Contract, case: Case, twins: tuple[Names, Names], own_fields: str) -> None:
    """Run the case on both twins, REST on the first, GraphQL on the second."""
    house.refusals.clear()
    async with house.client(authorization=f"Bearer {case.actor}") as client:
        rest, graph = [await _prepared(client, case, dict(names)) for names in twins]
        house.clock.advance(case.later)
        # The application's scheduler does it too, but not at the same point of both twins' stories.
        while (await house.database.command(fire_due, 100)).found:
            pass
        unchanged = [await seen_of(house, names["id"], own_fields) for names in twins]
        given = {} if case.body is None else {"json": filled(case.body, rest)}
        response = await client.request(case.method, filled(case.path, rest), **given)
        query = {"query": mutation_text(case.mutation), "variables": {"input": filled(dict(case.input), graph)}}
        payload = (await client.post("/graphql", json=query)).json()["data"][case.mutation]
    await _erased(house)
    seen = [await seen_of(house, names["id"], own_fields) for names in twins]
    assert seen[0] == seen[1], seen
    codes = [error["code"] for error in payload["errors"]]
    if case.code is None:
        assert (codes, response.status_code < 300) == ([], True), response.text
        assert seen != unchanged
    elif case.silent:
        assert (codes, response.status_code, house.refusals) == ([case.code], 200, [])
        assert seen == unchanged
    else:
        assert codes == [case.code]
        assert [refusal.code for refusal in house.refusals] == [case.code]
        assert response.status_code == contract.statuses.get(case.code, STATUSES[case.code])
        assert seen == unchanged


async def _erased(house: House) -> None:
    """The scheduler may have cleaned the events of the first one that was deleted, and not yet those of the second; a
    part that it is at is passed over here, and is still there."""

    def left(work: Work) -> int:
        return work.connection.execute(sa.select(sa.func.count()).where(erasing.c.what == INTERACTION)).scalar_one()

    for _ in range(int(PATIENCE / 0.01)):
        while (await house.database.command(erase_part, 100)).more:
            pass
        if not await house.database.command(left):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("what was deleted is not erased")


async def _prepared(client: httpx2.AsyncClient, case: Case, names: dict[str, str]) -> Names:
    for method, path, body, actor in (Step(*step) for step in case.before):
        headers = {"authorization": f"Bearer {actor}"}
        response = await client.request(method, filled(path, names), json=filled(body, names), headers=headers)
        assert response.status_code < 300, response.text
        if response.content and "id" in response.json():
            names["made"] = str(response.json()["id"])
    return names


async def seen_of(house: House, number: str, own_fields: str) -> tuple[Any, list[Any]]:
    """The state of an interaction, and its events, without what tells it from its twin."""
    query = f'{{ interaction(id: "{number}") {{ {STATE} {own_fields} }} }}'
    async with house.client(authorization="Bearer ada") as client:
        answer = (await client.post("/graphql", json={"query": query})).json()
    assert "errors" not in answer, answer
    events = await house.database.command(_events, int(number.partition("_")[2]))
    return answer["data"]["interaction"], events


def _events(work: Work, interaction_id: int) -> list[Any]:
    c = event_log.c
    columns = (c.at, c.topic, c.kind, c.actor_id, c.version, c.level_before, c.level_after, c.data)
    rows = work.connection.execute(
        sa.select(*columns).where(c.interaction_id == interaction_id).order_by(c.position)
    ).all()
    return [(*row[:-1], _plain(row[-1])) for row in rows]


def _plain(data: Any) -> Any:
    found = (orjson.loads(data) if isinstance(data, str) else data) or {}
    plain = _nameless(found)
    changes = [{"field": each["field"]} if each["field"] in _RANKS else each for each in plain.get("changes", ())]
    return plain | {"changes": changes}


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nameless(item) for name, item in value.items() if name not in _NAMES}
    return value
