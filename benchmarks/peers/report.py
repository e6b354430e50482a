"""The table of a run, and which aims were met; what was missed comes first."""

from collections.abc import Iterator, Mapping
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.peers.turns import Turns

OURS = "Switchboard"
BY_HAND = "by hand"
MERCURIUS = "Mercurius"
BARE = "bare"

_QUIET = 0.8
_BUSY = 0.4
"""On a quiet machine the bare server's slowest turn reaches this of its middle one, and it has this of a core."""

_AIMS = {
    "one Session": (1.6, 2.0),
    "20 interactions": (1.6, 2.0),
    "20 open of one kind, as created": (1.6, 2.0),
    "page of one kind, 50": (1.8, 1.8),
    "page of the queue, 50": (1.8, 1.8),
    "update": (2.5, 2.5),
}
"""CPU of a request against the server by hand, at most: on SQLite, on PostgreSQL."""


def say(
    title: str,
    found: Mapping[tuple[str, str], Turns],
    bare: Turns,
    memory: Mapping[str, int],
    console: Console,
) -> None:
    """Print both, and whether the machine was quiet."""
    table = Table(title=title)
    for name in ("operation", "server"):
        table.add_column(name)
    for name in ("req/s", "p50 ms", "p99 ms", "CPU us", "to by hand", "database us"):
        table.add_column(name, justify="right")
    last = ""
    for (operation, server), turns in found.items():
        if last and operation != last:
            table.add_section()
        table.add_row(
            "" if operation == last else operation,
            server,
            f"{median(turns.requests_per_second):,.0f}",
            f"{median(turns.medians):.2f}",
            f"{median(turns.slowest_percents):.2f}",
            f"{median(turns.cpu):,.0f}",
            f"{_ratio(found, operation, server):.2f}",
            f"{median(turns.database_cpu):,.0f}" if any(turns.database_cpu) else "",
        )
        last = operation
    console.print(table)
    console.print("memory: " + ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in memory.items()))
    requests, cpu = median(bare.requests_per_second), median(bare.cpu)
    had = requests * cpu / 1_000_000
    quiet = "quiet" if bare.spread >= _QUIET and had >= _BUSY else "NOT quiet: measure again"
    console.print(
        f"bare uvicorn: {requests:,.0f} req/s, {cpu:.0f} us, so it had {had:.0%} of a core; its slowest turn is "
        f"{bare.spread:.2f} of the middle one: the machine was {quiet}"
    )
    for _, line in sorted(_verdicts(found, on_postgresql="PostgreSQL" in title)):
        console.print(line)


def _verdicts(found: Mapping[tuple[str, str], Turns], *, on_postgresql: bool) -> Iterator[tuple[bool, str]]:
    """Each aim as (met, what to say)."""
    for operation, aims in _AIMS.items():
        ratio, aim = _ratio(found, operation, OURS), aims[on_postgresql]
        yield ratio <= aim, f"{operation}: {ratio:.2f} of at most {aim} by hand: {_said(ratio <= aim)}"
        if (peer := found.get((operation, MERCURIUS))) is not None:
            ours = median(found[operation, OURS].requests_per_second)
            ahead = ours / median(peer.requests_per_second)
            yield ahead > 1, f"{operation}: {ahead:.2f} times Mercurius' requests a second: {_said(ahead > 1)}"


def _ratio(found: Mapping[tuple[str, str], Turns], operation: str, server: str) -> float:
    """CPU against the server by hand: the median of the ratios of each turn."""
    by_hand = found[operation, BY_HAND].cpu
    return median(mine / theirs for mine, theirs in zip(found[operation, server].cpu, by_hand, strict=True))


def _said(met: bool) -> str:
    return "met" if met else "MISSED"
