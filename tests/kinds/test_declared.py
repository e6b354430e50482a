"""What holds answers to their declarations notices what is not as declared."""

from typing import Any

import httpx2
import pytest

from app.asgi import CONTRACTS
from app.rest import About, Answer, Call, Operation, Refusal, Reply
from tests.kinds.described import Described

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("reply", "differences"),
    [
        (Reply(body=["a"]), 0),
        (Reply(body=[1]), 1),
        (Reply(body=b'["a"]'), 0),
        (Reply(body={"0": "a"}), 1),
        (Reply(status=204), 1),
        (Reply(status=201, body=["a"]), 1),
        (Reply(), 1),
    ],
)
async def test_answers(reply: Reply, differences: int) -> None:
    async def handler(_call: Call) -> Reply:
        return reply

    described = Described()
    about = About("find", "Find.", answer=Answer(200, "Found.", list[str]))
    call: Any = None
    assert await described.handler(Operation("GET", "/v1/found", handler, about))(call) is reply
    assert len(described.differences) == differences


async def test_refusals() -> None:
    async def handler(_call: Call) -> Reply:
        raise httpx2.HTTPError("any")

    described = Described()
    about = About("find", "Find.", answer=Answer(204, "Found."), refuses=(404,))
    refused = described.contract(CONTRACTS[0]).refused
    call: Any = None
    for status, differences in ((401, 0), (404, 0), (500, 0), (409, 1)):
        with pytest.raises(httpx2.HTTPError):
            await described.handler(Operation("GET", "/v1/found", handler, about))(call)
        refused(Refusal(status=status, code="", message="No."))
        # Outside of an operation any status is one of the application's own.
        refused(Refusal(status=409, code="", message="No."))
        assert len(described.differences) == differences
