"""The measured server: metrics and destinations are switched while it runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, cast

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import asgi
from app.commands import worker
from app.commands.serving import serve
from app.core import company
from app.destinations.model import DestinationState
from app.destinations.repository import DestinationRepository
from app.destinations.tables import destination
from app.dispatcher import Dispatcher, dispatching
from app.http import server
from app.http.config import Config
from app.live.index import Index
from app.live.matchers import Matchers
from app.live.subscriptions import Subscriptions
from app.settings import Settings
from app.storage.database import Database
from app.storage.work import Work

PATH = "/switch"
_LOOK_SECONDS = 0.01


class Switches:
    """What differs between variants. One process serves all of them, as two of one program differ by some percent."""

    config: Config
    _database: Database
    _subscriptions: Subscriptions
    _dispatcher: Dispatcher

    def __init__(self) -> None:
        self._all: Matchers | None = None

    async def switch(self, request: Request) -> Response:
        """Switch what the path names. What is as wanted stays as it is."""
        wanted = int(request.path_params["wanted"])
        match request.path_params["what"]:
            case "metrics":
                self.config.watched = bool(wanted)
            case "destinations":
                await self.deliver_to(wanted)
            case "heard":
                self.hear(wanted)
        return PlainTextResponse("done")

    async def deliver_to(self, count: int) -> None:
        """Have so many active destinations."""
        if self._subscriptions.running == count:
            return
        await self._database.command(_activate, count)
        self._dispatcher._lose()
        self._dispatcher.lost()
        while self._subscriptions.running != count:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(_LOOK_SECONDS)

    def hear(self, count: int) -> None:
        """Hold events against the filters of so many destinations. To open a thousand takes more than a second, this
        nothing."""
        deliveries = self._subscriptions._deliveries
        if self._all is None:
            self._all = deliveries._matchers
        found = Matchers()
        for matcher in islice(self._all._by_key.values(), count):
            index = found._indexes.setdefault(matcher.values_of, Index(matcher.values_of))
            index.add(matcher, matcher.keys)
        deliveries._matchers = found

    @asynccontextmanager
    async def dispatching(
        self, database: Database, feed: Any, subscriptions: Subscriptions, *given: Any
    ) -> AsyncIterator[Dispatcher]:
        async with dispatching(database, feed, subscriptions, *given) as dispatcher:
            self._database, self._subscriptions, self._dispatcher = database, subscriptions, dispatcher
            yield dispatcher

    def server_of(self, settings: Settings, ready: Callable[[], None]) -> server.Server:
        made = _server_of(settings, ready)
        self.config = made.config
        cast("Starlette", made.config.app).routes.append(Route(f"{PATH}/{{what}}/{{wanted:int}}", self.switch))
        return made


_server_of = worker.server_of


def _activate(work: Work, count: int) -> None:
    """Have so many active destinations, from here on. The others are paused."""
    known = work.connection.execute(sa.select(destination).order_by(destination.c.id)).mappings().all()
    if count > len(known):
        (first, *_) = known
        kept = {name: value for name, value in first.items() if name != "id"}
        copies = [
            {**kept, "name": f"Copy {number}", "document": first["document"].replace("none", f"none-{number}")}
            for number in range(len(known), count)
        ]
        work.connection.execute(sa.insert(destination), copies)
    numbers = work.connection.execute(sa.select(destination.c.id).order_by(destination.c.id)).scalars().all()
    head = str(work.use(DestinationRepository).head())
    for state, those in ((DestinationState.ACTIVE, numbers[:count]), (DestinationState.PAUSED, numbers[count:])):
        changed = {"state": state, "cursor": head, "holder": None, "version": destination.c.version + 1}
        work.connection.execute(sa.update(destination).where(destination.c.id.in_(those)).values(changed))


def main() -> None:
    """Serve on a free port."""
    switches = Switches()
    # A variant begins with a clean slate: its caller asks alone, whoever did a moment ago.
    company.TOGETHER = 0.0
    vars(asgi)["dispatching"] = switches.dispatching
    vars(worker)["server_of"] = switches.server_of
    serve(port=0)


if __name__ == "__main__":
    main()
