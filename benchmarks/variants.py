"""What a server's metrics add to the cost of reads, and what it adds that a caller sees a part."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from app.core.actor import permission_name
from benchmarks.cases import KEY, Case, cases, request, server_settings
from benchmarks.client import BenchmarkError, ask, drive
from benchmarks.databases import folder
from benchmarks.measuring import sessions_of
from benchmarks.processes import GENERATOR_CORES, Server, pin, serving

_KINDS = ("session", "agent_session", "chat_session", "conversation")
_SEES_A_PART = [permission_name(name) for kind in _KINDS for name in (f"{kind}:read:team", f"{kind}:read:own")]
_READS = 3
"""The first cases are the reads."""

_USER = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { message } } }"
_TEAM = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } errors { message } } }"
_API_KEY = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret errors { message } } }"


@dataclass(frozen=True, slots=True)
class Variant:
    """The server, and the key that asks it."""

    name: str
    server: Server
    key: str


def variants(url: str, seconds: float, turns: int, console: Console) -> None:
    """Ask for each read in turn, and print the CPU of each variant against the plain server asked by an admin.

    Raises BenchmarkError when two variants give different answers."""
    settings = server_settings(url)
    pin(GENERATOR_CORES)
    with ExitStack() as stack:
        plain = stack.enter_context(serving(["app", "serve", "--port", "0"], settings, folder()))
        watched = stack.enter_context(
            serving(["app", "serve", "--port", "0"], {**settings, "SWITCHBOARD_METRICS_PORT": "0"}, folder())
        )
        found = [
            Variant("plain", plain, KEY),
            Variant("with metrics", watched, KEY),
            Variant("seen by a team's member", plain, asyncio.run(_member(plain.port))),
        ]
        reads = cases(asyncio.run(sessions_of(plain.port)))[:_READS]
        _prove(found, reads)
        table = Table(
            "read", *(f"{each.name}: CPU us" for each in found), *(f"{each.name}: ratio" for each in found[1:])
        )
        for case in reads:
            table.add_row(case.name, *_row(found, case, seconds, turns))
    console.print(table)


def _row(found: Sequence[Variant], case: Case, seconds: float, turns: int) -> list[str]:
    costs: list[list[float]] = [[] for _ in found]
    for turn in range(-1, turns):
        for place, each in enumerate(found):
            cost = _cost(each, case, seconds)
            if turn >= 0:  # the first one warms up
                costs[place].append(cost)
    ratios = [median(cost / plain for cost, plain in zip(each, costs[0], strict=True)) for each in costs[1:]]
    return [f"{median(each):,.0f}" for each in costs] + [f"{ratio:.3f}" for ratio in ratios]


def _cost(variant: Variant, case: Case, seconds: float) -> float:
    import uvloop

    asked = [[_as(each, variant.key) for each in requests] for requests in case.connections]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        before = variant.server.cpu_seconds()
        tally = runner.run(drive(variant.server.port, asked, seconds))
    return (variant.server.cpu_seconds() - before) / len(tally.latencies) * 1_000_000


def _as(asked: bytes, key: str) -> bytes:
    """The same request with another key."""
    return asked.replace(f"Bearer {KEY}\r\n".encode(), f"Bearer {key}\r\n".encode())


def _prove(found: Sequence[Variant], reads: Sequence[Case]) -> None:
    for case in reads:
        answers = {asyncio.run(ask(each.server.port, _as(case.connections[0][0], each.key))) for each in found}
        if len(answers) != 1:
            raise BenchmarkError(f"{case.name}: the variants do not give the same answer.")


async def _member(port: int) -> str:
    """A new user's key. It sees what its team sees, and has two teams."""
    given = {"name": "Member", "login": f"member-{port}", "permissions": _SEES_A_PART}
    user = (await _done(port, _USER, given))["user"]["id"]
    for name in ("first", "second"):
        await _done(port, _TEAM, {"name": f"{name} {port}", "memberIds": [user]})
    secret: str = (await _done(port, _API_KEY, {"name": "bench", "userId": user}))["secret"]
    return secret


async def _done(port: int, document: str, given: Mapping[str, object]) -> dict[str, Any]:
    answer = orjson.loads(await ask(port, request(document, {"input": given})))
    if "errors" in answer:
        raise BenchmarkError(f"The server answered: {answer['errors']}")
    (payload,) = answer["data"].values()
    if payload["errors"]:
        raise BenchmarkError(f"The server answered: {payload['errors']}")
    found: dict[str, Any] = payload
    return found
