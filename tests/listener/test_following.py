"""Listening over the real server: what is heard, and that nothing is missed or hidden by what breaks."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from app.asgi import create_app
from app.core.actor import Actor
from app.interactions.model import Level
from app.interactions.service.holding import claim
from app.interactions.service.state import raise_attention
from app.listener.connection import Patience, websocket_url
from app.listener.cursor_file import CursorFile
from app.listener.faults import Refused
from app.listener.following import Follower
from app.listener.items import Item, filter_of, is_alert
from app.settings import Settings
from app.storage.database import Work
from app.storage.event_log.tables import event_log, lane
from tests.interactions.conftest import House, cnv
from tests.interactions.conftest import house as house
from tests.kinds.conftest import ADA, BO
from tests.serving import PATIENCE, PROTOCOL, Served, eventually, serving

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

KEY = "the key of the listener"
SOON = Patience(silence=0.2, pong=0.2)


class Keys:
    """Knows one key, as long as it counts."""

    def __init__(self) -> None:
        self.actor: Actor | None = ADA

    async def actor_of(self, key: str) -> Actor | None:
        return self.actor if key == KEY else None


class Heard:
    """Follows a graph beside the test, and keeps what was handed on and told."""

    def __init__(self, url: str, kept: CursorFile, wanted: dict[str, object] | None = None, key: str = KEY) -> None:
        self.items: list[Item] = []
        self.told: list[str] = []
        self.hand_on: Callable[[Item], None] = self.items.append
        self.pauses: list[float] = []
        self.task = asyncio.create_task(
            Follower(websocket_url(url), key, wanted or {}, kept, self._take, self.told.append, SOON, self._pause).run()
        )

    async def _take(self, item: Item) -> None:
        self.hand_on(item)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)

    async def has(self, count: int) -> list[tuple[str, str | None, str]]:
        """The first items as change, topic and level, once there are so many."""
        await eventually(lambda: len(self.items) >= count or self.task.done())
        if self.task.done():
            self.task.result()
        assert len(self.items) == count, self.items
        return [(item["change"], item["topic"], item["levelAfter"]) for item in self.items]

    async def stop(self) -> None:
        if self.task.cancel():
            with suppress(asyncio.CancelledError):
                await self.task


@pytest.fixture
async def served(house: House, database_url: str) -> AsyncIterator[Served]:
    settings = Settings(database_url=database_url)
    app = create_app(settings, clock=house.clock, authenticator=lambda _: Keys())
    async with serving(app, settings) as found:
        yield found


@asynccontextmanager
async def following(served: Served, path: Path | None = None, **given: Any) -> AsyncIterator[Heard]:
    heard = Heard(served.url, CursorFile(path), **given)
    try:
        yield heard
    finally:
        await heard.stop()


async def _listening(served: Served) -> None:
    await eventually(lambda: served.running == 1)


@pytest.mark.both_databases
async def test_listening_begins_with_what_waits_and_goes_on_with_what_happens(house: House, served: Served) -> None:
    await house.hear()
    async with following(served) as heard:
        assert await heard.has(1) == [("WAITING", None, "NORMAL")]
        assert heard.items[0]["interaction"]["customer"] == {"name": "Ana"}
        await _listening(served)
        await house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
        await house.database.command(claim, BO, cnv(1))
        assert (await heard.has(3))[1:] == [
            ("UPDATED", "ATTENTION_CHANGED", "URGENT"),
            ("UPDATED", "INTERACTION_CLAIMED", "URGENT"),
        ]
    assert [is_alert(item) for item in heard.items] == [True, True, False]


async def test_listening_hears_of_the_level_asked_for_alone(house: House, served: Served) -> None:
    await house.hear()
    await house.hear_sam()
    async with following(served, wanted=dict(filter_of("HIGH", ["CONVERSATION"]))) as heard:
        await _listening(served)
        await house.hear("Hello?")
        await house.database.command(raise_attention, ADA, cnv(1), Level.HIGH)
        assert await heard.has(1) == [("ENTERED", "ATTENTION_CHANGED", "HIGH")]
    assert filter_of("URGENT", []) == {"levels": ["URGENT"]}
    assert filter_of("LOW", []) == {"levels": ["URGENT", "HIGH", "NORMAL", "LOW"]}
    assert filter_of(None, []) == {}


async def test_listening_resumes_after_the_cursor_in_its_file(house: House, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    async with following(served, path):
        await eventually(lambda: path.read_text() != "\n")
        await _listening(served)
    await eventually(lambda: served.running == 0)
    await house.hear()
    async with following(served, path) as heard:
        assert [change for change, _, _ in await heard.has(2)] == ["ENTERED", "UPDATED"]
        await eventually(lambda: path.read_text() == f"{heard.items[1]['cursor']}\n")
    assert [name for name in os.listdir(tmp_path) if "cursor" in name] == ["cursor"]


async def test_listening_hands_an_item_on_again_where_it_was_not_finished(
    house: House, served: Served, tmp_path: Path
) -> None:
    path = tmp_path / "cursor"

    def fail(_item: Item) -> None:
        raise BrokenPipeError

    async with following(served, path) as heard:
        heard.hand_on = fail
        await _listening(served)
        before = path.read_text()
        await house.hear()
        with pytest.raises(BrokenPipeError):
            await asyncio.wait_for(heard.task, PATIENCE)
        assert path.read_text() == before
    async with following(served, path) as heard:
        assert [change for change, _, _ in await heard.has(2)] == ["ENTERED", "UPDATED"]


def _forget(work: Work) -> None:
    work.connection.execute(sa.delete(event_log))
    work.connection.execute(sa.update(lane).values(oldest=lane.c.head + 1))


@pytest.mark.both_databases
@pytest.mark.parametrize("trouble", ["expired", "invalid"])
async def test_listening_reads_the_state_anew_where_the_cursor_is_lost(
    house: House, served: Served, tmp_path: Path, trouble: str
) -> None:
    path = tmp_path / "cursor"
    async with following(served, path):
        await eventually(lambda: path.read_text() != "\n")
    await house.hear()
    if trouble == "expired":
        await house.database.command(_forget)
    else:
        path.write_text("no cursor at all")
    async with following(served, path) as heard:
        assert await heard.has(1) == [("WAITING", None, "NORMAL")]
        assert heard.told[1].startswith("The server cannot go on from the cursor: ")
        await _listening(served)
        await house.hear("Hello?")
        assert (await heard.has(2))[1][:2] == ("UPDATED", "ATTENTION_RENEWED")


async def test_listening_ends_where_the_key_does_not_count(served: Served) -> None:
    async with following(served, key="another key") as heard:
        with pytest.raises(Refused, match="4401"):
            await asyncio.wait_for(heard.task, PATIENCE)
    assert heard.pauses == []


async def test_listening_ends_where_the_filter_is_refused(served: Served) -> None:
    async with following(served, wanted={"kinds": ["TELEX"]}) as heard:
        with pytest.raises(Refused, match="InteractionKind"):
            await asyncio.wait_for(heard.task, PATIENCE)


# ---- servers that are none -------------------------------------------------------------------------------------------


@asynccontextmanager
async def _speaking(answer: Callable[[ServerConnection, dict[str, Any]], Any], **given: Any) -> AsyncIterator[str]:
    async def speak(connection: ServerConnection) -> None:
        async for text in connection:
            for message in answer(connection, orjson.loads(text)):
                await connection.send(orjson.dumps(message).decode())

    server: Server
    async with serve(speak, "127.0.0.1", 0, subprotocols=[PROTOCOL], ping_interval=None, **given) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"


def _acknowledging(*results: dict[str, Any]) -> Callable[[ServerConnection, dict[str, Any]], list[dict[str, Any]]]:
    def answer(_connection: ServerConnection, message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["type"] == "connection_init":
            return [{"type": "connection_ack"}]
        if message["type"] == "subscribe":
            return [{"id": message["id"], "type": "next", "payload": result} for result in results]
        return []

    return answer


def _kept(cursor: str | None) -> CursorFile:
    kept = CursorFile(None)
    kept.keep(cursor)
    return kept


async def test_listening_comes_back_where_the_network_swallows_everything() -> None:
    asked: list[str] = []

    def answer(connection: ServerConnection, message: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(message["type"])
        return _acknowledging()(connection, message)

    async with _speaking(answer) as url:
        heard = Heard(url, _kept("AQ"))
        await eventually(lambda: asked.count("subscribe") == 3)
        await heard.stop()
    assert asked[:4] == ["connection_init", "subscribe", "ping", "connection_init"]
    assert "Not connected: the server is silent. It is tried again." in heard.told


async def test_listening_pauses_longer_each_time_up_to_a_limit() -> None:
    async with _speaking(_acknowledging()) as url:
        pass
    heard = Heard(url, _kept("AQ"))
    await eventually(lambda: len(heard.pauses) >= 40)
    await heard.stop()
    limits = [min(0.5 * 2**number, 15.0) for number in range(len(heard.pauses))]
    assert all(0 <= pause <= limit for pause, limit in zip(heard.pauses, limits, strict=True))
    assert max(heard.pauses[5:]) > 0.5


async def test_listening_passes_over_an_alert_that_cannot_be_made() -> None:
    failed = {"data": None, "errors": [{"message": "Taken too long.", "extensions": {"code": "TIMEOUT"}}]}
    made = {
        "data": {
            "attentionChanged": {
                "cursor": "AR", "change": "ENTERED", "topic": "ATTENTION_RAISED", "levelAfter": "LOW"
            }
        }
    }  # fmt: skip
    async with _speaking(_acknowledging(failed, made)) as url:
        kept = _kept("AQ")
        heard = Heard(url, kept)
        assert await heard.has(1) == [("ENTERED", "ATTENTION_RAISED", "LOW")]
        await eventually(lambda: kept.cursor == "AR")
        await heard.stop()
    assert len(heard.pauses) == 2
    assert [text for text in heard.told if "passed over" in text] == [
        "An alert could not be read, and is passed over: Taken too long."
    ]


async def test_listening_follows_no_redirect_with_its_key() -> None:
    asked: list[str] = []

    def answer(connection: ServerConnection, message: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(message["type"])
        return _acknowledging()(connection, message)

    async with _speaking(answer) as elsewhere:

        def redirect(connection: ServerConnection, _request: Request) -> Response:
            answered = connection.respond(307, "")
            answered.headers["Location"] = elsewhere.replace("http", "ws")
            return answered

        async with _speaking(_acknowledging(), process_request=redirect) as url:
            heard = Heard(url, _kept("AQ"))
            with pytest.raises(Refused, match="status 307"):
                await asyncio.wait_for(heard.task, PATIENCE)
    assert asked == []


@pytest.mark.parametrize("url", ["switchboard.example.com", "ftp://a/graphql", "https:///graphql"])
def test_listening_refuses_an_address_of_no_graph(url: str) -> None:
    with pytest.raises(ValueError, match="it has to be an address"):
        websocket_url(url)


def test_listening_adds_the_path_where_there_is_none() -> None:
    assert websocket_url("https://switchboard.example.com") == "wss://switchboard.example.com/graphql"
    assert websocket_url("http://h:1/x?a=b#c") == "ws://h:1/x?a=b"
