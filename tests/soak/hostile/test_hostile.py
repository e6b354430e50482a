"""The verdict of the hostile run, and the frames of the fuzz: what decides whether anything fails."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import orjson
import pytest
from graphql import parse, validate

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from tests.graph.running import SCHEMA
from tests.serving import serving
from tests.soak.hostile.attacks import ATTACKS, ON_POSTGRESQL, commands, described, documents, reads
from tests.soak.hostile.fuzz.changes import raw
from tests.soak.hostile.fuzz.frames import CLOSE, INTERNAL_CLOSE, TEXT, conversation, frame, is_internal, received
from tests.soak.hostile.innocent import Errand, Innocent
from tests.soak.hostile.measures import KINDS, NOT_FOUND, Measures, Times, failures_between, late_between
from tests.soak.hostile.proofs import PROOFS
from tests.soak.hostile.scenario import Attacked, believed
from tests.soak.hostile.target import Hostile, Target
from tests.soak.hostile.watching import Held
from tests.soak.hostile.wire import Answer, post

RIGHT = {
    name
    for name, attack in ATTACKS.items()
    if attack.__module__ in {module.__name__ for module in (commands, documents, reads)}
} - {"unknown-fields", "broken-documents", "locked-row"}
"""Attacks by documents that are valid."""

QUICK = Times.of([0.002] * 100)


def measured(**changed: Times) -> Measures:
    return Measures(**{**dict.fromkeys((*KINDS, "canary"), QUICK), **changed})


ATTACKED = Attacked(
    name="attack",
    answers={},
    alone=measured(),
    beside=measured(),
    before=Held(0, 0, 0),
    peak=0,
    after=None,
    logged=0,
    starved=0.0,
    stopped=0.0,
    late=(),
    faults=(),
)


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_fails_on_a_slow_percent(kind: str) -> None:
    beside = measured(**{kind: Times.of([0.002] * 98 + [0.2] * 2)})
    (fault,) = late_between(measured(), beside)
    assert fault.startswith(f"{kind} p99 200 ms")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("tries", "wrong"),
    [
        ([[]], []),
        ([["late"], [], []], []),
        ([["late"], [], ["late again"]], ["late again"]),
        ([["late"], ["late again"]], ["late again"]),
    ],
)
async def test_verdict_believes_what_is_late_in_two_tries_of_three(tries: list[list[str]], wrong: list[str]) -> None:
    left = iter(tries)

    async def attack() -> Attacked:
        return replace(ATTACKED, late=next(left))

    assert list(await believed(attack)) == wrong
    assert list(left) == []


@pytest.mark.anyio
async def test_verdict_believes_other_faults_at_once() -> None:
    left = iter([["late"], []])

    async def attack() -> Attacked:
        return replace(ATTACKED, late=next(left), faults=["a traceback"])

    assert list(await believed(attack)) == ["late", "a traceback"]
    assert list(left) == [[]]


def test_verdict_passes_what_was_slow_without_the_attacker() -> None:
    slow = measured(read=Times.of([0.1] * 100))
    assert late_between(slow, measured(read=Times.of([0.29] * 100))) == []


def test_verdict_leaves_out_what_the_machine_adds() -> None:
    beside = measured(read=Times.of([0.09] * 100), canary=Times.of([0.05] * 100))
    assert late_between(measured(), beside) == []


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_fails_on_failures(kind: str) -> None:
    failing = measured(**{kind: Times.of([0.002] * 100, {"503": 1, "429 RATE_LIMITED": 2})})
    (fault,) = failures_between(measured(), failing)
    assert fault == f"{kind}: 3 of an innocent caller failed beside the attacker: 1 x 503, 2 x 429 RATE_LIMITED"
    # As many without the attacker are no excuse: what fails measures nothing.
    assert len(failures_between(failing, failing)) == 2
    (fault,) = failures_between(failing, measured())
    assert fault.startswith(f"{kind}: 3 of an innocent caller failed without the attacker")


@pytest.mark.parametrize("kind", KINDS)
def test_verdict_fails_where_nothing_was_measured(kind: str) -> None:
    nothing = measured(**{kind: Times.of([])})
    assert failures_between(nothing, nothing) == [
        f"{kind}: nothing was measured without the attacker",
        f"{kind}: nothing was measured beside the attacker",
    ]


def test_verdict_fails_for_a_listener_whose_socket_was_closed() -> None:
    (fault,) = failures_between(measured(), measured().without_listener())
    assert fault.startswith("delivery: 1 of an innocent caller failed beside the attacker")


class Anybody:
    async def actor_of(self, key: str) -> Actor | None:
        return Actor(user_id=1, name="Ada", is_admin=True) if key == "key" else None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "reads", "writes"),
    [("key", {}, NOT_FOUND), ("no key", {"401 UNAUTHENTICATED"}, "401 UNAUTHENTICATED")],
)
async def test_innocent_that_is_refused_is_a_fault(database_url: str, key: str, reads: set[str], writes: str) -> None:
    """One whose interaction is gone, and one whose key is."""
    settings = Settings(database_url=database_url)
    app = create_app(settings, authenticator=lambda _: Anybody())
    errand = Errand(port=0, key=key, ref="chs_999", customer="cus_999")
    async with serving(app, settings) as served, served.socket({"authorization": "Bearer key"}) as socket:
        found = await Innocent(replace(errand, port=served.port), socket).measure(0.1)
    assert found == Measures.parse(orjson.loads(orjson.dumps(found)))
    assert set(found.read.failures) == set(reads)
    assert set(found.write.failures) == {writes}
    faults = failures_between(found, found)
    assert "delivery: nothing was measured beside the attacker" in faults
    (fault,) = [each for each in faults if each.startswith("write") and "beside" in each]
    assert fault.endswith("its own interaction is gone") == (writes == NOT_FOUND)


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
