"""Requests of a connection that go to another Switchboard within the process."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from app.outbound import Answer
from tests.kinds.rest import House


@dataclass
class Through:
    """Takes requests to the twin."""

    house: House

    async def send(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, **_: object) -> Answer:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self.house)) as client:
            response = await client.request(method, url, headers=dict(headers), content=content)
        return Answer(response.status_code, dict(response.headers), response.content)
