"""A network between a process and PostgreSQL that goes silent: nothing is closed or reset, bytes just do not arrive."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

REQUESTS, ANSWERS = "requests", "answers"

SILENCE = 0.5
IMPATIENT: Mapping[str, Any] = {
    "database_silence": timedelta(seconds=SILENCE),
    "command_timeout": timedelta(seconds=2),
    "read_timeout": timedelta(seconds=2),
}
"""Settings by which a silence is found in less than a second, and given up after two."""


class _Direction:
    """One direction of one connection."""

    def __init__(self, network: "Network", name: str) -> None:
        self.flows = asyncio.Event()
        self.is_lost = False
        self.name = name
        if name not in network.held:
            self.flows.set()

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Carry bytes until the source ends; the end itself is carried as bytes are."""
        with suppress(OSError):
            while data := await source.read(65_536):
                await self.flows.wait()
                if self.is_lost:
                    continue
                target.write(data)
                await target.drain()
        await self.flows.wait()
        if not self.is_lost:
            target.close()


class Network:
    """Carries connections to PostgreSQL, and holds what it is told to."""

    def __init__(self, server: sa.URL) -> None:
        self.held: frozenset[str] = frozenset()
        self._refuses = False
        self._server = server
        self._directions: set[_Direction] = set()
        self._links: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many connections it carries."""
        return len(self._directions) // 2

    def hold(self, *names: str) -> None:
        """Carry nothing in these directions, on open and on new connections. Without a name: in neither."""
        self.held = frozenset(names or (REQUESTS, ANSWERS))
        for each in self._directions:
            each.flows.clear() if each.name in self.held else each.flows.set()

    def resume(self) -> None:
        """Carry what was held, and everything that comes."""
        self.held = frozenset()
        for each in self._directions:
            each.flows.set()

    def forget(self, *names: str) -> None:
        """Never carry anything again in these directions on the connections that are open now; carry new ones.

        That is what a firewall does that has lost its table of connections. Without a name: in neither direction."""
        self.held = frozenset()
        for each in self._directions:
            each.is_lost = each.is_lost or each.name in (names or (REQUESTS, ANSWERS))
            each.flows.set()

    def refuse(self, *, refuses: bool = True) -> None:
        """Reset new connections, or stop doing so."""
        self._refuses = refuses

    def accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Carry a new connection."""
        task = asyncio.create_task(self._link(client, to_client))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _link(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._refuses:
            to_client.transport.abort()
            return
        folder, port = self._server.query.get("host"), self._server.port or 5432
        server, to_server = await (
            asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
            if isinstance(folder, str)
            else asyncio.open_connection(self._server.host, port)
        )
        requests, answers = _Direction(self, REQUESTS), _Direction(self, ANSWERS)
        self._directions |= {requests, answers}
        try:
            await asyncio.gather(requests.carry(client, to_server), answers.carry(server, to_client))
        finally:
            self._directions -= {requests, answers}
            to_server.transport.abort()
            to_client.transport.abort()

    async def close(self) -> None:
        """Cut every connection."""
        for task in self._links:
            task.cancel()
        if self._links:
            await asyncio.wait(self._links)


@asynccontextmanager
async def network_to(url: str) -> AsyncIterator[tuple[Network, str]]:
    """A network to the database of a URL of the tests' server, and the address of that database through it."""
    direct = sa.make_url(url)
    network = Network(direct)
    listener = await asyncio.start_server(network.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    through = direct.set(host="127.0.0.1", port=port, query={})
    try:
        yield network, through.render_as_string(hide_password=False)
    finally:
        listener.close()
        await network.close()
