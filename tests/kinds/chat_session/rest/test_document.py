"""The contract's OpenAPI document: it describes every operation, is served beside them, and holds of answers."""

from typing import Any

import httpx2
import orjson
import pytest

from app.kinds.chat_session.rest import CONTRACT
from app.rest.openapi import written
from tests.kinds.chat_session.conftest import Desk
from tests.kinds.chat_session.rest.test_sessions import BASE, make
from tests.kinds.conversation.rest.schema import faults
from tests.kinds.rest import House

pytestmark = pytest.mark.anyio

DOCUMENT = orjson.loads(written(CONTRACT))


def test_every_operation_is_described() -> None:
    served = {(each.method.lower(), each.path) for each in CONTRACT.operations}
    described = {
        (method, path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert described == served
    assert len(described) == 32


async def test_it_is_served_to_everybody(house: House) -> None:
    async with house.client(authorization="") as anybody:
        response = await anybody.get("/api/v1/openapi.json")
    assert (response.status_code, response.json()) == (200, DOCUMENT)


def checked(path: str, method: str, response: httpx2.Response) -> list[str]:
    """Where the answer is not what the document says."""
    described: Any = DOCUMENT["paths"][path][method]["responses"][str(response.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    if "content" not in described:
        return [] if response.content == b"" else ["there is a body"]
    return list(faults(DOCUMENT, described["content"]["application/json"]["schema"], response.json(), closed=True))


async def test_answers_are_as_described(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk, Person={"PersonId": 5}, Sale={"SaleId": 1, "Amount": 1.5})
    message = {"Type": "ToUser", "Message": "Hi"}
    for method, path, body in (
        ("get", "", None),
        ("post", "", {"TopicId": desk.open}),
        ("post", "", {}),
        ("get", "/default", None),
        ("get", "/default?$select=status", None),
        ("post", "/1/Messages", message),
        ("get", "/1/Messages", None),
        ("get", "/1/Messages?after=x", None),
        ("post", "/1/Pickup", None),
        ("post", "/1/Pickup", None),
        ("get", "/ForCurrentUser", None),
        ("get", "/1", None),
        ("get", "/9", None),
        ("put", "/1", {"AlertLevel": -1}),
        ("put", "/1", {"AlertLevel": 1}),
        ("patch", "/1", [{"op": "test", "path": "Rank", "value": 5}]),
        ("patch", "/1", {"CustomerName": "B"}),
        ("post", "/1/TransferTo/eve", None),
        ("post", "/1/TransferTo/zoe", None),
        ("post", "/1/AcceptTransfer", None),
        ("post", "/1/RejectTransfer", None),
        ("post", "/1/Transcript", None),
        ("post", "/1/Reset", None),
        ("post", "/Pickup", None),
        ("post", "/Pickup", None),
        ("post", "/Pickup", None),
        ("delete", "/1", None),
    ):
        response = await client.request(method, f"{BASE}{path}", json=body)
        template = path.partition("?")[0].replace("/1", "/{id}").replace("/9", "/{id}")
        for name in ("eve", "zoe"):
            template = template.replace(name, "{toAssociate}")
        assert checked(f"{BASE}{template}", method, response) == [], (method, path)
