"""The verdict of the hostile run, and the frames of the fuzz: what decides whether anything fails."""

from collections.abc import Callable
from random import Random

import orjson
import pytest
from graphql import parse, validate

from tests.graph.running import SCHEMA
from tests.soak.hostile.attacks import ATTACKS, ON_POSTGRESQL, commands, described, documents, reads
from tests.soak.hostile.fuzz.changes import raw
from tests.soak.hostile.fuzz.frames import CLOSE, INTERNAL_CLOSE, TEXT, conversation, frame, is_internal, received
from tests.soak.hostile.measures import KINDS, Measures, Times, faults_between
from tests.soak.hostile.proofs import PROOFS
from tests.soak.hostile.target import Hostile, Target
from tests.soak.hostile.wire import Answer, post

RIGHT = {
    name
    for name, attack in ATTACKS.items()
    if attack.__module__ in {module.__name__ for module in (commands, documents, reads)}
} - {"unknown-fields", "broken-documents", "locked-row"}
"""Attacks by documents that are valid."""

QUICK = Times.of([0.002] * 100, 0)


def measured(**changed: Times) -> Measures:
    return Measures(**{**dict.fromkeys((*KINDS, "canary"), QUICK), **changed})


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_fails_on_a_slow_percent(kind: str) -> None:
    beside = measured(**{kind: Times.of([0.002] * 98 + [0.2] * 2, 0)})
    (fault,) = faults_between(measured(), beside)
    assert fault.startswith(f"{kind} p99 200 ms")


def test_verdict_passes_what_was_slow_without_the_attacker() -> None:
    slow = measured(read=Times.of([0.1] * 100, 0))
    assert faults_between(slow, measured(read=Times.of([0.29] * 100, 0))) == []


def test_verdict_leaves_out_what_the_machine_adds() -> None:
    beside = measured(read=Times.of([0.09] * 100, 0), canary=Times.of([0.05] * 100, 0))
    assert faults_between(measured(), beside) == []


def test_verdict_fails_on_failures() -> None:
    (fault,) = faults_between(measured(), measured(write=Times.of([0.002] * 100, 1)))
    assert fault.startswith("write: 1 of")


def test_attacks_are_described() -> None:
    assert len(ATTACKS) > 27
    assert ATTACKS.keys() >= ON_POSTGRESQL
    assert all(described(each).endswith((".", "?")) for each in (*ATTACKS.values(), *PROOFS.values()))


def test_answers_are_internal_by_code_or_status() -> None:
    assert Answer(200, b'{"errors":[{"extensions":{"code":"INTERNAL"}}]}').is_internal
    assert Answer(500, b"").is_internal
    assert not Answer(503, b"").is_internal
    assert not Answer(200, b'{"errors":[{"extensions":{"code":"UNAVAILABLE"}}]}').is_internal


@pytest.mark.parametrize("length", [5, 125, 126, 65_535, 65_536])
def test_frames_are_read_as_they_are_written(length: int) -> None:
    sent = frame(TEXT, b"x" * length, masked=False) + frame(CLOSE, b"\x03\xe8bye", masked=False)
    assert list(received(sent)) == [(TEXT, b"x" * length), (CLOSE, b"\x03\xe8bye")]


def test_frames_are_internal_by_answer_or_close_code() -> None:
    assert is_internal(frame(CLOSE, INTERNAL_CLOSE.to_bytes(2, "big"), masked=False))
    assert is_internal(frame(TEXT, b'{"payload":[{"extensions":{"code":"INTERNAL"}}]}', masked=False))
    assert not is_internal(frame(CLOSE, b"\x11\x30", masked=False))


def test_fuzz_is_the_same_for_the_same_seed() -> None:
    valid = post("{ viewer { user { id } } }")
    assert [raw(valid, Random(number)) for number in range(20)] == [raw(valid, Random(number)) for number in range(20)]
    documents = ("{ __typename }",)
    assert conversation(documents, "key", Random(1)) == conversation(documents, "key", Random(1))


@pytest.mark.anyio
@pytest.mark.parametrize("name", sorted(RIGHT))
async def test_attacks_ask_what_is_valid(name: str) -> None:
    """An attack that the validation stops would measure nothing else."""
    first = First()
    await ATTACKS[name](first)
    _, _, body = first.request.partition(b"\r\n\r\n")
    assert not body or validate(SCHEMA, parse(orjson.loads(body)["query"])) == []


class First(Hostile):
    """Keeps the first request of a flood and sends none."""

    request = b""

    def __init__(self) -> None:
        refs = ("ses_1", "ags_2")
        super().__init__(
            Target(1, "sqlite:///none.db", "admin", "able", "nobody", refs, crowded="cus_1", beginning="AQ")
        )

    async def flood(self, make: Callable[[int], bytes], *, lines: int, pause: float = 0.0) -> None:
        self.request = make(0)
