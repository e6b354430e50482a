"""Trusted documents on a real server: by their ids over each transport, and as the only ones."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.actor import Actor
from app.execution.trusted import add_trusted
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.http.test_sse import Stream
from tests.kit.library import tick
from tests.kit.library_server import BOOK, KEY, NUMBERS, TITLE, Keys, serving_library
from tests.serving import PATIENCE, Served

pytestmark = pytest.mark.anyio


def named(text: str) -> dict[str, Any]:
    return {"documentId": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"}


@pytest.fixture
async def strict(sqlite_library: Database, tmp_path: Path, clock: ManualClock, keys: Keys) -> AsyncIterator[Served]:
    """A server of the library that runs two documents alone."""
    assert isinstance(keys.known["admin"], Actor)
    for text in (BOOK, NUMBERS):
        add_trusted(tmp_path / "documents", text)
    url = f"sqlite:///{tmp_path / 'library.db'}"
    folder = str(tmp_path / "documents")
    async with serving_library(url, clock, keys, documents_folder=folder, documents_only=True) as served:
        yield served


async def test_trusted_document_is_run_by_its_id_over_each_transport(strict: Served, sqlite_library: Database) -> None:
    async with httpx2.AsyncClient(timeout=PATIENCE, headers=KEY) as client:
        assert (await client.post(strict.url, json=named(BOOK))).json() == {"data": TITLE}
        assert (await client.get(strict.url, params=named(BOOK))).json() == {"data": TITLE}
        assert (await client.post(strict.url, json={"query": BOOK})).json() == {"data": TITLE}
        accept = {"accept": "text/event-stream"}
        async with (
            client.stream("POST", strict.url, json=named(NUMBERS), headers=accept) as response,
            strict.socket(KEY) as socket,
        ):
            stream = Stream(response)
            await socket.send(id="1", type="subscribe", payload=named(BOOK))
            assert await socket.data("1") == TITLE
            await socket.send(id="2", type="subscribe", payload=named(NUMBERS))
            assert (await socket.take())["type"] == "complete"
            while strict.running < 2:
                await socket.send(type="ping")
                assert (await socket.take())["type"] == "pong"
            await sqlite_library.command(tick, 1)
            assert await socket.data("2") == {"ticks": {"number": 1}}
            assert await stream.data() == {"ticks": {"number": 1}}


async def test_document_that_is_not_trusted_is_run_over_no_transport(strict: Served) -> None:
    other = {"query": "{ __typename }"}
    async with httpx2.AsyncClient(timeout=PATIENCE, headers=KEY) as client:
        for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
            answer = await client.post(strict.url, json=other, headers={"accept": accept})
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["extensions"]["code"]) == (status, "DOCUMENT_NOT_TRUSTED")
        answer = await client.post(strict.url, json=other, headers={"accept": "text/event-stream"})
        assert "DOCUMENT_NOT_TRUSTED" in answer.text
    async with strict.socket(KEY) as socket:
        await socket.send(id="1", type="subscribe", payload=other)
        failed = await socket.take()
        assert (failed["type"], failed["payload"][0]["extensions"]["code"]) == ("error", "DOCUMENT_NOT_TRUSTED")
