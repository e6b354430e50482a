"""`bench --peers`: Switchboard, servers written by hand, and Mercurius, asked the same in one run."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
from rich.console import Console

from benchmarks.cases import server_settings
from benchmarks.databases import copied, folder, libpq_variables, postgresql, sqlite_url
from benchmarks.measuring import sessions_of
from benchmarks.peers.equality import require_equal
from benchmarks.peers.mercurius import command_of_mercurius
from benchmarks.peers.operations import operations
from benchmarks.peers.report import BARE, BY_HAND, MERCURIUS, OURS, say
from benchmarks.peers.turns import take_turns
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, Server, pin, running, serving
from benchmarks.resting import put_to_rest

_BARE_BYTES = 107


def peers(sizes: Sequence[int], turns: int, seconds: float, console: Console) -> None:
    """Measure both databases at each size, and print."""
    mercurius = command_of_mercurius(folder(), console)
    for size in sizes:
        url = sqlite_url(size, console)
        pin(GENERATOR_CORES)
        with _on_sqlite(Path(url.removeprefix("sqlite:///"))) as servers:
            _measure(f"SQLite, {size:,} interactions", servers, [], turns, seconds, console)
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(size, console) as (address, processes), _on_postgresql(address, mercurius) as servers:
            pin(GENERATOR_CORES)
            _measure(f"PostgreSQL, {size:,} interactions", servers, processes, turns, seconds, console)


def _measure(
    title: str,
    servers: Mapping[str, Server],
    database: Sequence[psutil.Process],
    turns: int,
    seconds: float,
    console: Console,
) -> None:
    compared = {name: server for name, server in servers.items() if name != BARE}
    sessions = asyncio.run(sessions_of(servers[OURS].port))
    asked = operations(sessions)
    asyncio.run(require_equal({name: server.port for name, server in compared.items()}, asked, sessions))
    console.print(f"{title}: {', '.join(compared)} answer alike; {turns} turns …")
    alone = replace(asked[0], name=BARE)
    loads = [*((operation, compared) for operation in asked), (alone, {BARE: servers[BARE]})]
    found = take_turns(loads, database, turns, seconds)
    bare = found.pop((BARE, BARE))
    say(title, found, bare, {name: server.memory() for name, server in compared.items()}, console)


@contextmanager
def _on_sqlite(path: Path) -> Iterator[dict[str, Server]]:
    """Switchboard and the server by hand, each over a copy of its own, and the bare one."""
    with ExitStack() as stack:
        ours, by_hand = stack.enter_context(sides_on_sqlite(path))
        yield {
            OURS: stack.enter_context(_switchboard(ours)),
            BY_HAND: stack.enter_context(serving(["benchmarks.peers.by_hand.sqlite", by_hand], {}, folder())),
            BARE: stack.enter_context(_bare()),
        }


@contextmanager
def _on_postgresql(address: str, mercurius: list[str] | None) -> Iterator[dict[str, Server]]:
    """Switchboard over a copy of its own; the others share one, as they write no two rows at the same time."""
    with ExitStack() as stack:
        ours, others = stack.enter_context(sides_on_postgresql(address))
        servers = {
            OURS: stack.enter_context(_switchboard(ours)),
            BY_HAND: stack.enter_context(serving(["benchmarks.peers.by_hand.postgresql", others], {}, folder())),
        }
        if mercurius is not None:
            settings = {"NODE_ENV": "production", **libpq_variables(others)}
            servers[MERCURIUS] = stack.enter_context(running(mercurius, settings, folder()))
        yield {**servers, BARE: stack.enter_context(_bare())}


@contextmanager
def sides_on_sqlite(path: Path) -> Iterator[tuple[str, str]]:
    """Two equal copies of a database's file in which time changes nothing, until the block ends."""
    with _copy(path, "ours") as ours:
        asyncio.run(put_to_rest(f"sqlite:///{ours}"))
        with _copy(ours, "theirs") as theirs:
            yield f"sqlite:///{ours}", f"sqlite:///{theirs}"


@contextmanager
def sides_on_postgresql(address: str) -> Iterator[tuple[str, str]]:
    """The same of a database of PostgreSQL. Nobody may be connected to it."""
    with copied(address, "ours") as ours:
        asyncio.run(put_to_rest(ours))
        with copied(ours, "theirs") as theirs:
            yield ours, theirs


@contextmanager
def _switchboard(url: str) -> Iterator[Server]:
    with serving(["app", "serve", "--port", "0"], server_settings(url), folder()) as server:
        yield server


@contextmanager
def _bare() -> Iterator[Server]:
    with serving(["benchmarks.baseline", str(_BARE_BYTES)], {}, folder()) as server:
        yield server


@contextmanager
def _copy(path: Path, name: str) -> Iterator[Path]:
    """A copy of a database's file until the block ends."""
    found = path.with_name(f"{path.stem}-{name}.db")
    _remove(found)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copyfile(path, found)
    try:
        yield found
    finally:
        _remove(found)


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
