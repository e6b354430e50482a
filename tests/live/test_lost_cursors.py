"""Where a client is told that it cannot go on from its cursor, as docs/live.md says."""

from collections.abc import Callable

import orjson
import pytest
import sqlalchemy as sa

from app.storage.database import Database, Work
from app.storage.event_log.tables import event_log, lane
from tests.http.test_sse import ask, streaming
from tests.kit.library import tick
from tests.kit.library_server import KEY, NUMBERS, TICKS
from tests.serving import Served, eventually

pytestmark = pytest.mark.anyio

CURSOR = "subscription { ticks { cursor } }"


def _forget(work: Work) -> None:
    """The log keeps nothing of what it holds, as after the setting `event_retention`."""
    work.connection.execute(sa.delete(event_log))
    work.connection.execute(sa.update(lane).values(oldest=lane.c.head + 1))


def _replace(work: Work) -> None:
    """The log is that of another database, in which less has happened."""
    work.connection.execute(sa.delete(event_log))
    work.connection.execute(sa.update(lane).values(head=0, oldest=1))


def _lose(work: Work) -> None:
    """An event of each lane is missing from the log."""
    work.connection.execute(sa.update(lane).values(head=lane.c.head + 1))


@pytest.mark.both_databases
@pytest.mark.parametrize(("trouble", "code"), [(_forget, "CURSOR_EXPIRED"), (_replace, "INVALID_CURSOR")])
async def test_lost_cursor_is_an_error_of_the_operation_that_begins(
    served: Served, library: Database, trouble: Callable[[Work], None], code: str
) -> None:
    async with served.socket(KEY) as socket:
        await socket.listen("first", CURSOR)
        await library.command(tick, 1, 2)
        cursor = (await socket.data("first"))["ticks"]["cursor"]
        await library.command(trouble)
    async with served.socket(KEY) as socket:
        await socket.subscribe("again", TICKS, after=cursor)
        told = await socket.take()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", code)
    event, data, *end = (await ask(served, {"query": TICKS, "variables": {"after": cursor}})).text.split("\n")
    assert (event, end) == ("event: next", ["", "event: complete", "data:", "", ""])
    assert orjson.loads(data.removeprefix("data: "))["errors"][0]["extensions"]["code"] == code


async def test_lost_event_is_an_item_with_an_error_and_the_end(served: Served, library: Database) -> None:
    async with served.socket(KEY) as socket, streaming(served, NUMBERS) as stream:
        await socket.listen("running", NUMBERS)
        await eventually(lambda: served.running == 2)
        await library.command(_lose)
        await library.command(tick, 1)
        told = await socket.take()
        assert (told["type"], told["payload"]["data"]) == ("next", None)
        assert told["payload"]["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED"
        assert (await socket.take())["type"] == "complete"
        event, data = (await stream.frame()).split("\n")
        assert event == "event: next"
        assert orjson.loads(data.removeprefix("data: "))["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED"
        assert (await stream.frame()).startswith("event: complete")
