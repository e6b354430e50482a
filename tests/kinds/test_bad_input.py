"""Bad input to every contract: the upstream's own error in its own shape, and nothing changed.

What is particular to a contract is in its own tests; this is the table of what all of them owe."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx2
import orjson
import pytest

from app.core.actor import Actor
from app.interactions.kind import InteractionKind
from app.interactions.service.messages import receive_message
from app.registry import KINDS
from app.rest import Contract
from app.rest.statuses import STATUSES
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.graph.state import Picture, picture_of, rows_of, unchanged
from tests.kinds.bad_input import INJECTED, Sample
from tests.kinds.conftest import BO, store_users
from tests.kinds.rest import ACTORS, House, housed

pytestmark = pytest.mark.anyio

SERVED = [kind for kind in KINDS if kind.contract is not None]
JSON = {"content-type": "application/json"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class Office:
    """A contract over a database with two interactions of its kind, each of another customer."""

    house: House
    contract: Contract
    sample: Sample
    named: Any
    before: Picture

    async def send(self, client: httpx2.AsyncClient, method: str, path: str, **request: Any) -> httpx2.Response:
        """What is answered; when that is a refusal, in the contract's own words."""
        self.house.refusals.clear()
        response = await client.request(method, path, **request)
        assert response.status_code != 500, response.text
        if response.status_code >= 400:
            (refusal,) = self.house.refusals
            expected = self.contract.refused(refusal)
            assert response.status_code == expected.status
            assert response.json().keys() == orjson.loads(orjson.dumps(expected.body)).keys()
        return response

    async def refused(self, client: httpx2.AsyncClient, code: str, method: str, path: str, **request: Any) -> None:
        """Expect the refusal with this code of the graph."""
        response = await self.send(client, method, path, **request)
        assert response.status_code >= 400, response.text
        (refusal,) = self.house.refusals
        status = self.contract.statuses.get(code, STATUSES.get(code))
        assert (refusal.code, response.status_code) == (code, response.status_code if status is None else status)

    async def unchanged(self) -> None:
        await unchanged(self.house.database, self.before)

    def requests(self) -> list[tuple[str, str, dict[str, Any]]]:
        """One for each operation that needs a key, to what is there; those that delete come last."""
        found = []
        for operation in sorted(self.contract.operations, key=lambda each: each.method == "DELETE"):
            if not operation.public:
                given = {"json": dict(self.sample.body)} if operation.method in ("POST", "PUT", "PATCH") else {}
                found.append((operation.method, self.path_of(operation.path), given))
        return found

    def path_of(self, template: str) -> str:
        for name, value in self.named.items():
            template = template.replace(f"{{{name}}}", str(value))
        return template.replace("{", "").replace("}", "")


@pytest.fixture(params=SERVED, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> InteractionKind:
    found: InteractionKind = request.param
    return found


@pytest.fixture
async def office(
    kind: InteractionKind, database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    writer = Actor(user_id=2, name="Writer", permissions=frozenset({f"{kind.name}:write", "directory:write"}))
    monkeypatch.setattr("tests.kinds.rest.ACTORS", {**ACTORS, "writer": writer})
    known = import_module(f"tests.kinds.{kind.name}.contract")

    def fill(work: Work) -> None:
        store_users(work)
        for key in ("4711", "4712"):
            target = known.target(work, key)
            content = {"type": "text", "content": "Where is my parcel?"}
            receive_message(work, BO, {"kind": kind.name, **target}, [content])

    assert kind.contract is not None
    async with housed(database_url, clock) as house:
        await house.database.command(fill)
        yield Office(house, kind.contract, known.SAMPLE, known.PATH, await picture_of(house.database))


async def test_bodies(office: Office) -> None:
    sample = office.sample
    body = orjson.dumps(sample.body)
    async with office.house.client() as client:
        for content, status in (
            (body[:-1], 400),
            (body + b",", 400),
            (body[:-1] + b",}", 400),
            (b"", 400),
            (b"null", 400),
            (b"[]", 400),
            (b'"text"', 400),
            (b"NaN", 400),
            (b'{"\xff": 1}', 400),
            (b'{"a": "\\u0000"}', 400),
            (b'{"a": "\\ud800"}', 400),
            (b'{"a":' * 100_000, 400),
            (b'{"a": "' + b"x" * 1_048_576 + b'"}', 413),
        ):
            response = await office.send(client, sample.method, sample.path, content=content, headers=JSON)
            assert response.status_code == status, content[:40]
        for media_type in (sample.media_type, "application/xml", "application/json; charset=utf-16"):
            headers = {"content-type": media_type}
            response = await office.send(client, sample.method, sample.path, content=body, headers=headers)
            assert response.status_code == 415, media_type
        for wrong in sample.wrong:
            request = {"json": {**sample.body, **wrong}}
            await office.refused(client, "INVALID_INPUT", sample.method, sample.path, **request)
        request = {"json": {**sample.body, **sample.long}}
        await office.refused(client, "TOO_LONG", sample.method, sample.path, **request)
        repeated = {"idempotency-key": "x" * 256}
        if sample.method == "POST":
            request = {"json": dict(sample.body), "headers": repeated}
            await office.refused(client, "TOO_LONG", sample.method, sample.path, **request)
    await office.unchanged()


async def test_paths_and_methods(office: Office) -> None:
    sample = office.sample
    async with office.house.client() as client:
        for path in sample.unknown:
            await office.refused(client, "NOT_FOUND", sample.method, path, json=dict(sample.body))
        for method in ("PATCH", "POST"):
            response = await office.send(client, method, sample.foreign, json={**sample.body, "reaction": "👍"})
            assert response.status_code in (404, 405)
        served: dict[str, set[str]] = {}
        for operation in office.contract.operations:
            served.setdefault(office.path_of(operation.path), set()).add(operation.method)
        for path, methods in served.items():
            allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
            for method in METHODS:
                if method not in methods:
                    response = await office.send(client, method, path)
                    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    await office.unchanged()


async def test_nobody_is_let_in_without_a_key(office: Office) -> None:
    async with office.house.client(authorization="") as client:
        for method, path, given in office.requests():
            for headers in ({}, {"authorization": "Bearer nobody"}):
                await office.refused(client, "UNAUTHENTICATED", method, path, headers=headers, **given)
    await office.unchanged()


@pytest.mark.parametrize("name", ["dee", "cy", "writer"])
async def test_who_may_too_little_changes_nothing(office: Office, name: str) -> None:
    async with office.house.client(authorization=f"Bearer {name}") as client:
        for method, path, given in office.requests():
            response = await office.send(client, method, path, **given)
            assert name != "dee" or response.status_code >= 400
            # What is not shown may be done, but not be done and refused.
            if name == "writer" and response.status_code >= 400:
                await office.unchanged()
    if name != "writer":
        await office.unchanged()


async def test_what_is_not_known_is_not_stored(office: Office) -> None:
    sample = office.sample
    body = {**sample.body, "marker-of-this-test": "marker-of-this-test", "__proto__": {"marker-of-this-test": 1}}
    async with office.house.client() as client:
        for path in (sample.path, f"{sample.path}?marker-of-this-test=1"):
            response = await office.send(client, sample.method, path, json=body)
            assert response.status_code < 300
            assert "marker-of-this-test" not in response.text
    assert await picture_of(office.house.database) != office.before
    assert "marker-of-this-test" not in repr(await rows_of(office.house.database))


async def test_nothing_can_be_injected(office: Office) -> None:
    sample = office.sample
    named = {"x-request-id": "a b", "x-forwarded-host": "evil", "idempotency-key": "'; DROP TABLE message; --"}
    async with office.house.client(**named) as client:
        for text in ("%27%20OR%20%271%27=%271", "1%0d%0aX-Evil:%20yes", "%2e%2e%2f%2e%2e", "1;DROP%20TABLE%20message"):
            for path in (f"{sample.path.rpartition('/')[0]}/{text}", f"{office.contract.base}/{text}"):
                response = await office.send(client, sample.method, path, json=dict(sample.body))
                assert response.status_code in (404, 405)
                assert "x-evil" not in response.headers
        await office.unchanged()
        response = await office.send(client, sample.method, sample.path, json={**sample.body, **sample.texts})
        assert response.status_code < 300
        assert "x-evil" not in response.headers
        assert response.headers["x-request-id"] not in ("", "a b")
        # It is there as it was sent, once decoded.
        assert orjson.dumps(INJECTED)[1:-1] in orjson.dumps(response.json())
        assert "evil" not in str(response.json()).replace(INJECTED, "").replace(repr(INJECTED)[1:-1], "")
