"""The contract's OpenAPI document: it describes every operation, and is served beside them."""

import httpx2
import pytest

from app.kinds.conversation.rest import CONTRACT
from tests.kinds.conversation.rest.conftest import BASE, DOCUMENT

pytestmark = pytest.mark.anyio


def test_every_operation_is_described() -> None:
    served = {(each.method.lower(), each.path.removeprefix(CONTRACT.base)) for each in CONTRACT.operations}
    described = {(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert described == served
    assert len(described) == 27


async def test_it_is_served_to_everybody(client: httpx2.AsyncClient) -> None:
    async with httpx2.AsyncClient(transport=client._transport, base_url="http://test") as anybody:
        response = await anybody.get(f"{BASE}/openapi.json")
    assert (response.status_code, response.json()) == (200, DOCUMENT)
