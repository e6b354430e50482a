"""The tables of docs/scale.md."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.scale.sharding import ROOTS, TABLES, Place, Reach, declared
from benchmarks.scale.simulation import INPUTS, SCENARIOS, Scenario, simulate


def tables() -> Mapping[str, str]:
    """Each table in Markdown by its name."""
    return {
        "tables": _table(("where its rows are", "tables, with the column that says the shard"), map(_of_place, Place)),
        "statements": _table(("asks", "declared statements", "of them"), map(_of_reach, Reach)),
        "roots": _table(("asks", "fields of `Query`"), ((each.value, _quoted(ROOTS[each])) for each in Reach)),
        "inputs": _table(
            ("number", "what", "from"),
            ((f"{each.value:,.0f} {each.unit}", each.what, each.source) for each in INPUTS.values()),
        ),
        "simulation": _table(
            (
                *("scenario", "listeners", "changes/s", "pages/s", "processes", "shards", "replicas of each"),
                *("MB of a process", "process busy", "primary busy", "replica busy", "p50 ms", "p99 ms"),
            ),
            map(_simulated, SCENARIOS),
        ),
    }


def _of_place(place: Place) -> Sequence[str]:
    named = [f"{name}.{column}" if column else name for name, (where, column) in TABLES.items() if where is place]
    return place.value, _quoted(named)


def _of_reach(reach: Reach) -> Sequence[str]:
    found = sorted(each.name for each in declared() if each.reach is reach)
    return reach.value, str(len(found)), "all others" if reach is Reach.ONE else _quoted(found)


def _simulated(scenario: Scenario) -> Sequence[str]:
    found = simulate(scenario)
    return (
        scenario.name,
        *(f"{each:,}" for each in (scenario.listeners, scenario.changes, scenario.pages, scenario.processes)),
        str(scenario.shards),
        str(scenario.replicas),
        f"{found.memory:,.0f}",
        f"{found.process_busy:.0%}",
        f"{found.primary_busy:.0%}",
        "" if found.replica_busy is None else f"{found.replica_busy:.0%}",
        f"{found.half:.0f}",
        f"{found.most:.0f}",
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
