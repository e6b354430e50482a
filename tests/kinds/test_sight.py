"""The contracts show and change for narrowed callers what the graph does: every operation on every sort of interaction.

What an interaction's reading and writing are allowed for is said by the plain reference `reaches`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx2
import pytest

from app.core.actor import Actor
from app.registry import KINDS
from app.rest import Operation
from tests.conftest import ManualClock
from tests.graph.people import reaches
from tests.kinds.conftest import store_users
from tests.kinds.rest import housed
from tests.kinds.seeing import BLIND, EVERYBODY, PEOPLE, ROWS, Does, Names, Row, put, store

pytestmark = pytest.mark.anyio

OPERATIONS = {
    f"{operation.method} {operation.path}": (kind.name, operation)
    for kind in KINDS
    if kind.contract is not None
    for operation in kind.contract.operations
}
SHOWN = (200, 201, 204)


class Matrix:
    """A house with an interaction of every sort, and how they are asked for."""

    def __init__(self, client: httpx2.AsyncClient, stored: Sequence[tuple[tuple[int, int | None], Names]]) -> None:
        self.client = client
        self.stored = stored

    def of(self, kind: str) -> list[tuple[tuple[int, int | None], Names]]:
        return [(side, names) for side, names in self.stored if names["kind"] == kind]

    async def ask(self, actor: Actor, operation: Operation, row: Row, names: Names) -> httpx2.Response:
        path = operation.path
        for name, value in {**names, **({"id": names["account"]} if row.account else {})}.items():
            path = path.replace(f"{{{name}}}", str(value))
        given: dict[str, Any] = {"headers": {"authorization": f"Bearer {actor.name}"}}
        if row.body is not None:
            given["json"] = row.body(names)
        if row.query is not None:
            given["params"] = row.query(names)
        found = await self.client.request(operation.method, path, **given)
        hidden = [each["said"] for side, each in self.stored if not reaches(actor, "read", each["kind"], *side)]
        assert not [words for words in hidden if words in found.text], (actor.name, operation)
        return found


@pytest.fixture(scope="module")
async def matrix(module_database_url: str) -> AsyncIterator[Matrix]:
    async with (
        housed(module_database_url, ManualClock(), people=EVERYBODY, rate_limit=0) as house,
        house.client(authorization="Bearer ada") as client,
    ):
        await house.database.command(store_users)
        yield Matrix(client, await store(client))


def rows(*does: Does) -> Mapping[str, tuple[str, Operation, Row]]:
    return {name: (*OPERATIONS[name], row) for name, row in ROWS.items() if row.does in does}


def test_sight_is_tried_of_every_operation_of_every_contract() -> None:
    assert ROWS.keys() == OPERATIONS.keys()


async def test_sight_is_of_what_the_graph_shows(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(Does.READ).items():
        for actor in PEOPLE:
            for side, names in matrix.of(kind):
                found = await matrix.ask(actor, operation, row, names)
                seen = reaches(actor, "read", kind, *side)
                if row.null:
                    assert (found.status_code, found.text != "null") == (200, seen), (name, actor.name, side)
                else:
                    assert found.status_code == (200 if seen else 404), (name, actor.name, side, found.text)


async def test_sight_of_lists_is_of_the_same(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(Does.LIST).items():
        assert row.named is not None
        for actor in PEOPLE:
            found, wanted = set[Any](), set[Any]()
            for side, names in matrix.of(kind):
                answer = await matrix.ask(actor, operation, row, names)
                assert answer.status_code == 200, (name, actor.name, answer.text)
                of_all = answer.json()
                found |= set(row.named(of_all))
                wanted |= {names[row.key]} if reaches(actor, "read", kind, *side) else set()
                if isinstance(of_all, dict) and "meta" in of_all:
                    assert of_all["meta"]["total"] == len(of_all["data"])
            known = {names[row.key] for _, names in matrix.of(kind)}
            assert found & known == wanted, (name, actor.name)


async def test_sight_of_accounts_takes_a_part_and_changing_them_the_whole(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(Does.ACCOUNT, Does.MANAGE).items():
        _, names = matrix.of(kind)[0]
        for actor in PEOPLE:
            found = await matrix.ask(actor, operation, row, names)
            assert found.status_code == (200 if row.does is Does.ACCOUNT else 403), (name, actor.name)


async def test_sight_is_needed_for_every_operation_of_a_kind(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(*set(Does) - {Does.NONE}).items():
        _, names = matrix.of(kind)[0]
        assert (await matrix.ask(BLIND, operation, row, names)).status_code == 403, name


async def test_sight_of_what_may_not_be_changed_is_forbidden_to_change(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(Does.WRITE).items():
        for actor in PEOPLE:
            for side, names in matrix.of(kind):
                seen, written = (reaches(actor, verb, kind, *side) for verb in ("read", "write"))
                # What is deleted is gone for the others.
                if seen and written and operation.method == "DELETE":
                    continue
                if seen and written and name.endswith("DeleteChatSessionEntity"):
                    continue
                found = await matrix.ask(actor, operation, row, names)
                where = (name, actor.name, side, found.text)
                if not seen:
                    assert found.status_code == 404, where
                elif not written:
                    assert found.status_code == 403, where
                else:
                    assert found.status_code not in (403, 404, 500), where
                    if kind == "chat_session":
                        # Of these alone the contract hands over.
                        await put(matrix.client, names, side)


async def test_sight_of_a_new_one_is_needed_to_open_it(matrix: Matrix) -> None:
    for name, (kind, operation, row) in rows(Does.OPEN).items():
        _, names = matrix.of(kind)[0]
        for actor in PEOPLE:
            opens = all(reaches(actor, verb, kind, 0, None) for verb in ("read", "write"))
            found = await matrix.ask(actor, operation, row, names)
            assert (found.status_code in SHOWN) == opens, (name, actor.name, found.text)
            assert opens or found.status_code == 403


async def test_sight_of_one_that_is_free_is_needed_to_take_it(matrix: Matrix) -> None:
    for operation, row in [(each, row) for _, each, row in rows(Does.TAKE).values()]:
        for actor in PEOPLE:
            chats = matrix.of("chat_session")
            mine = [names["id"] for side, names in chats if side[1] is None and _takes(actor, side)]
            found = (await matrix.ask(actor, operation, row, chats[0][1])).json()
            assert (found is None) == (not mine), actor.name
            assert found is None or found["ChatSessionId"] in mine, actor.name
            for side, names in chats:
                await put(matrix.client, names, side)


def _takes(actor: Actor, side: tuple[int, int | None]) -> bool:
    return all(reaches(actor, verb, "chat_session", *side) for verb in ("read", "write"))


async def test_sight_that_is_given_away_is_not_answered(matrix: Matrix) -> None:
    actor = next(each for each in PEOPLE if each.name == "own")
    _, names = next((side, names) for side, names in matrix.of("conversation") if side == (2, 2))
    patched = ROWS["PATCH /third-party/v1/conversations/{id}"]
    giving = Row(patched.does, body=lambda _names: {"user_id": 1})
    operation = OPERATIONS["PATCH /third-party/v1/conversations/{id}"][1]
    assert (await matrix.ask(actor, operation, giving, names)).status_code == 204
    assert (await matrix.ask(actor, operation, giving, names)).status_code == 404
    _, chat = next((side, names) for side, names in matrix.of("chat_session") if side == (2, 2))
    reset = OPERATIONS["POST /api/v1/ChatSession/{id}/Reset"][1]
    assert (await matrix.ask(actor, reset, ROWS["POST /api/v1/ChatSession/{id}/Reset"], chat)).text == "null"
