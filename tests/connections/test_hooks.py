"""The door of connections as senders see it: over HTTP, within the process."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest
import sqlalchemy as sa

from app.connections.model import NewConnection
from app.connections.rest import contract
from app.connections.service import create_connection, delete_connection
from app.connections.tables import inbox
from app.interactions.tables import message
from app.registry import CONNECTORS
from app.rest.openapi import written
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, KEYS, hello, signed
from tests.kinds.rest import House, housed
from tests.scheduler.conftest import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


(OPERATION,) = orjson.loads(written(contract(CONNECTORS, asyncio.Event())))["paths"].values()
DESCRIBED = OPERATION["post"]["responses"]
"""The answers that the description of the door has."""


class Sender:
    """Another system that delivers to a connection."""

    def __init__(self, house: House, path: str, secret: str) -> None:
        self.house = house
        self.path = path
        self.secret = secret

    async def post(self, body: object, key: str = "evt-1", path: str | None = None, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        given = {**signed(self.secret, content.decode(errors="replace"), key), **headers}
        async with self.house.client() as client:
            del client.headers["authorization"]
            answer = await client.post(self.path if path is None else path, content=content, headers=given)
        assert str(answer.status_code) in DESCRIBED
        return answer

    async def kept(self) -> int:
        return await self.house.database.command(_count)


def _count(work: Work) -> int:
    return int(work.connection.execute(sa.select(sa.func.count()).select_from(inbox)).scalar_one())


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with housed(database_url, clock, secrets_key=KEYS[:1], max_body_bytes=10_000) as opened:
        yield opened


@pytest.fixture
async def sender(house: House) -> Sender:
    new = NewConnection(system="HTTP", name="Shop")
    made = await house.database.command(create_connection, ADA, CONNECTORS, new)
    assert made.secret is not None
    return Sender(house, made.system.hook_path, made.secret)


def error(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.both_databases
async def test_delivery_is_answered_and_applied_within_seconds(house: House, sender: Sender) -> None:
    answer = await sender.post(hello())
    assert (answer.status_code, answer.json()) == (200, {"received": True})

    async def applied() -> bool:
        texts = await house.database.command(
            lambda work: work.connection.execute(sa.select(message.c.text)).scalars().all()
        )
        return list(texts) == ["Hello?"]

    await eventually(applied)


async def test_repeated_delivery_is_answered_as_the_first(sender: Sender) -> None:
    assert [(await sender.post({})).status_code for _ in range(3)] == [200, 200, 200]
    assert await sender.kept() == 1


async def test_wrong_signature_is_401(sender: Sender) -> None:
    answer = await sender.post({}, **{"webhook-signature": "v1,AAAA"})
    assert error(answer) == (401, "UNAUTHENTICATED")
    assert await sender.kept() == 0


@pytest.mark.parametrize("path", ["/hooks/con_1/wrong", "/hooks/con_9/wrong", "/hooks/x/y"])
async def test_path_of_no_connection_is_404(sender: Sender, path: str) -> None:
    assert error(await sender.post({}, path=path)) == (404, "NOT_FOUND")


async def test_path_of_a_deleted_connection_is_404(house: House, sender: Sender) -> None:
    await house.database.command(delete_connection, ADA, "con_1")
    assert error(await sender.post({})) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/hooks", "/hooks/con_1", "/hooks/con_1/a/b"])
async def test_path_of_another_form_is_404(sender: Sender, path: str) -> None:
    assert error(await sender.post({}, path=path)) == (404, "UNKNOWN_PATH")


async def test_body_beyond_the_limit_is_413(sender: Sender) -> None:
    assert (await sender.post(b" " * 10_000)).status_code == 200
    assert error(await sender.post(b" " * 10_001, "evt-2")) == (413, "BAD_REQUEST")
    assert await sender.kept() == 1


@pytest.mark.parametrize("body", [b"\xff", b'"\x00"'])
async def test_body_that_is_no_text_is_400(sender: Sender, body: bytes) -> None:
    assert error(await sender.post(body)) == (400, "BAD_REQUEST")
    assert await sender.kept() == 0


async def test_body_may_be_compressed(sender: Sender) -> None:
    given = signed(sender.secret, "{}")
    async with sender.house.client() as client:
        packed = {**given, "content-encoding": "gzip"}
        answer = await client.post(sender.path, content=gzip.compress(b"{}"), headers=packed)
    assert answer.status_code == 200


async def test_door_describes_itself(sender: Sender) -> None:
    async with sender.house.client() as client:
        answer = await client.get("/hooks/openapi.json")
    assert answer.json()["paths"].keys() == {"/hooks/{connection}/{token}"}


async def test_other_methods_are_405(sender: Sender) -> None:
    async with sender.house.client() as client:
        answer = await client.get(sender.path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_delivery_that_the_server_cannot_check_is_503(house: House, sender: Sender) -> None:
    def spoil(work: Work) -> None:
        work.connection.execute(sa.text("UPDATE connected_system SET secret = 'damaged'"))

    await house.database.command(spoil)
    answer = await sender.post({})
    assert (*error(answer), answer.headers["retry-after"]) == (503, "UNAVAILABLE", "30")


@pytest.mark.both_databases
async def test_many_deliveries_at_once_are_all_kept(sender: Sender) -> None:
    answers = await asyncio.gather(*(sender.post({}, f"evt-{n}") for n in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert await sender.kept() == 20
