"""Proves that the servers answer alike, before any of them is measured."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from benchmarks.cases import SINGLE, request
from benchmarks.client import BenchmarkError, ask
from benchmarks.peers.operations import Operation

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_ASKED = 3


async def require_equal(ports: Mapping[str, int], asked: list[Operation], sessions: list[tuple[str, str]]) -> None:
    """Raises BenchmarkError where two servers answer a read differently, or an update does not do the same."""
    for operation in asked:
        if operation.writes:
            continue
        for sent in operation.connections[0][:_ASKED]:
            answers = {name: data_of(await ask(port, sent)) for name, port in ports.items()}
            _compare(operation.name, answers)
    number, key = await _over(next(iter(ports.values())), sessions)
    for name, port in ports.items():
        await _require_update(name, port, number, key, asked)


async def _over(port: int, sessions: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The first Session that is over. An update of another one may find that its time has come, and close it.

    Raises BenchmarkError when there is none."""
    for number, key in sessions:
        if data_of(await ask(port, request(SINGLE, {"key": key})))["session"]["state"] == "CLOSED":
            return number, key
    raise BenchmarkError("There is no Session that is over.")


async def _require_update(name: str, port: int, number: str, key: str, asked: list[Operation]) -> None:
    writing = next(each for each in asked if each.document and each.writes)
    tags, topics = [f"asked-of-{name}"], ["equality"]
    before = data_of(await ask(port, request(SINGLE, {"key": key})))["session"]
    given = {"input": {"id": number, "tags": tags, "topics": topics}}
    changed = data_of(await ask(port, request(writing.document, given)))
    expected = {"id": number, "tags": tags, "topics": topics, "version": before["version"] + 1}
    _compare(writing.name, {name: changed, "as it should be": {"updateSession": {"session": expected, "errors": []}}})
    after = data_of(await ask(port, request(SINGLE, {"key": key})))["session"]
    _compare(writing.name, {name: after, "as it should be": {**before, "tags": tags, "version": expected["version"]}})


def _compare(what: str, answers: Mapping[str, Any]) -> None:
    (first, expected), *others = answers.items()
    for name, answer in others:
        if answer != expected:
            raise BenchmarkError(f"{what}: {first} and {name} answer differently:\n{expected}\n{answer}")


def data_of(body: bytes) -> Any:
    """The `data`, with each time to six digits, as JSON's writers leave out different zeros."""
    answer = orjson.loads(_TIME.sub(_six_digits, body.decode()))
    if answer.get("errors"):
        raise BenchmarkError(f"A server answered: {answer['errors']}")
    return answer["data"]


def _six_digits(found: "re.Match[str]") -> str:
    return f"{found[1]}{(found[2] or '.').ljust(7, '0')}Z"
