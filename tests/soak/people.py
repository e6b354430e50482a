"""Alerts to the tools of a team, which fail, stall, ask for time and die: each step told once and in order."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from random import Random
from typing import Any

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.fernet import Fernet

from app.core.vapid import new_private_key
from app.destinations.events import AlertTold
from tests.destinations.test_push import Browser
from tests.graph.running import mutation_text
from tests.soak.clients import BROKEN, Caller
from tests.soak.destinations import DOWN_SECONDS, DRAIN_SECONDS, NOTED_WITHIN, Receiver, ask, kill, stopped
from tests.soak.log import stored_after
from tests.soak.processes import Process, processes
from tests.soak.traffic import Outcome

_INTERACTIONS = 16
_WRITERS = 4
_STEP_SECONDS = 0.6
_ROUTING_KEY = "0123456789abcdef0123456789ABCDEF"
_START = """query { events { cursor } interactions(first: 16, filter: {states: [OPEN], attentionNeeded: false}) {
  nodes { id } } }"""
_STATES = "query { destinations(first: 100) { nodes { name state } } }"
_CREATE = mutation_text("createDestination", "destination { id }")
_POLICY = mutation_text("createPolicy")
_LIFE = tuple(map(mutation_text, ("raiseAttention", "acknowledgeAttention", "clearAttention")))
_REF = re.compile(r"\b(?:ses|ags|chs|cnv)_\d+\b")
_BEGINNINGS = {"Acknowledged by": "ACKNOWLEDGED", "Claimed by": "CLAIMED", "Over:": "OVER"}
_NEED = re.compile(r"needs a human(, told \d+ times)?$")
_ACTIONS = {"trigger": "RAISED", "acknowledge": "ACKNOWLEDGED", "resolve": "OVER"}

Step = tuple[str, str]
"""What a message tells: an interaction, and what became of its alert. A need that is told again is RAISED again, as
PagerDuty has one word for both."""


def step_of(title: str) -> Step:
    """What a sentence for people tells. Raises LookupError for one that is none of ours."""
    ref = _REF.findall(title)[-1]
    for beginning, step in _BEGINNINGS.items():
        if title.startswith(beginning):
            return ref, step
    if _NEED.search(title) is None:
        raise LookupError(title)
    return ref, "RAISED"


def _said(step: str) -> str:
    return "RAISED" if step == "REPEATED" else step


def _slack(body: bytes) -> Step:
    return step_of(orjson.loads(body)["text"])


def _teams(body: bytes) -> Step:
    (attachment,) = orjson.loads(body)["attachments"]
    return step_of(attachment["content"]["body"][0]["inlines"][0]["text"])


def _pagerduty(body: bytes) -> Step:
    event = orjson.loads(body)
    if event["routing_key"] != _ROUTING_KEY:
        raise ValueError("another key")
    return event["dedup_key"].removeprefix("switchboard-"), _ACTIONS[event["event_action"]]


@dataclass
class Tool(Receiver):
    """A stand-in for a tool that is spoken to over HTTP."""

    type_: str = "SLACK"
    parse: Callable[[bytes], Step] = _slack
    key: str | None = None

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]]:
        ref, step = self.parse(body)
        return f"{ref} {step}", {"interactionId": ref, "step": step}

    @property
    def given(self) -> Mapping[str, object]:
        """What it is made a destination by."""
        address = f"http://127.0.0.1:{self.port}/hook"
        return {"name": self.name, "type": self.type_, "address": address, **({"secret": self.key} if self.key else {})}


@dataclass
class Mail:
    """A stand-in for a mail server, which often has no time."""

    name: str = "mail"
    ref: str = ""
    port: int = 0
    requests: int = 0
    taken: list[tuple[str, Mapping[str, Any], float]] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    choose: Random = field(default_factory=Random)
    server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.requests += 1
        if self.choose.random() < 0.1:
            return "451 Not now"
        letter = message_from_bytes(envelope.original_content or b"", policy=default)
        try:
            ref, step = step_of(letter["Subject"])
        except LookupError as error:
            self.faults.append(f"{self.name}: {error}")
            return "550 What is this"
        self.taken.append((f"{ref} {step}", {"interactionId": ref, "step": step}, time.monotonic()))
        return "250 OK"

    @property
    def given(self) -> Mapping[str, object]:
        return {"name": self.name, "type": "EMAIL", "address": "team@example.com"}


StandIn = Tool | Mail


def _stand_ins() -> list[StandIn]:
    browser = Browser()

    def push(body: bytes) -> Step:
        said = browser.read(body)
        return said["tag"], _said(said["step"])

    busy = [(0.05, (429, "retry-after: 1\r\n")), (0.03, (503, ""))]
    pager: dict[str, Any] = {"type_": "PAGERDUTY", "parse": _pagerduty, "key": _ROUTING_KEY}
    phone: dict[str, Any] = {"type_": "WEB_PUSH", "parse": push, "key": browser.keys}
    return [
        Tool("slack, busy", answers=busy),
        Tool("slack, gone", gone_after=10),
        Tool("teams, failing", answers=[(0.1, (500, ""))], type_="TEAMS", parse=_teams),
        Tool("teams, dying", dies=True, type_="TEAMS", parse=_teams),
        Tool("pager, cutting", answers=[(0.05, None)], **pager),
        Tool("pager, stalling", stalls=0.02, **pager),
        Tool("phone, busy", answers=busy, **phone),
        Tool("phone, steady", **phone),
        Mail(),
    ]


async def run(database_url: str, folder: Path, *, seconds: float, seed: int = 1) -> Outcome:
    """Have alerts raised, acknowledged and settled for so long, and compare what each was told with the log."""
    found = _stand_ins()
    async with _open(found, seed):
        mail = next(each for each in found if isinstance(each, Mail))
        settings = {
            "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
            "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
            "SWITCHBOARD_VAPID_KEY": new_private_key(),
            "SWITCHBOARD_VAPID_CONTACT": "mailto:desk@example.com",
            "SWITCHBOARD_SMTP_HOST": "127.0.0.1",
            "SWITCHBOARD_SMTP_PORT": str(mail.port),
            "SWITCHBOARD_SMTP_TLS": "none",
            "SWITCHBOARD_SMTP_SENDER": "desk@example.com",
        }
        async with processes(2, database_url, folder, settings) as running:
            port = running[1].port  # that of the server which is not killed
            start = await ask(port, _START)
            cursor, refs = start["events"]["cursor"], [each["id"] for each in start["interactions"]["nodes"]]
            for each in found:
                made = (await ask(port, _CREATE, input=each.given))["createDestination"]
                if made["errors"]:
                    raise RuntimeError(f"No destination: {made['errors']}")
                each.ref = made["destination"]["id"]
            await ask(port, _POLICY, input={"name": "All", "destinationIds": [each.ref for each in found]})
            killed_at = await _meanwhile(running, found, refs[:_INTERACTIONS], seconds, seed)
            gone = next(each for each in found if isinstance(each, Tool) and each.gone_after is not None)
            faults = await stopped(port, gone)
            late, told = await _drained(found, cursor, database_url, refs[:_INTERACTIONS])
            faults += [f"{name} was not told everything within {DRAIN_SECONDS:.0f} s" for name in late]
            states = {each["name"]: each["state"] for each in (await ask(port, _STATES))["destinations"]["nodes"]}
            faults += [f"{name} is {state}" for name, state in states.items() if state != "ACTIVE"]
            faults += [fault for each in found for fault in judged(each, told[each.ref], killed_at)]
            faults += [failure for each in running for failure in each.failures()]
    counted = sum(len(steps) for by_ref in told.values() for steps in by_ref.values())
    requests = sum(each.requests for each in found)
    return Outcome(f"{counted:,} alerts to {len(found)} tools by {requests:,} requests and letters", faults)


def judged(found: StandIn, expected: Mapping[str, Sequence[str]], killed_at: float) -> list[str]:
    """Where it was told anything but each step once and in order; twice is right only where an answer was lost."""
    faults = list(found.faults)
    told: dict[str, list[str]] = {}
    latest: dict[str, float] = {}
    for key, item, at in found.taken:
        ref, step = item["interactionId"], item["step"]
        before = told.setdefault(ref, [])
        place = len(before)
        is_next = place < len(expected.get(ref, ())) and expected[ref][place] == step
        if is_next:
            before.append(step)
        elif before and before[-1] == step:
            was_killed = killed_at - NOTED_WITHIN <= latest[ref] <= killed_at
            if not (was_killed or found.unanswered[key]):
                faults.append(f"{found.name}: {key} came twice without a lost answer")
        else:
            faults.append(f"{found.name}: {key} after {before[-2:]}: out of order, or never told")
        latest[ref] = at
    missing = _missing(found, expected)
    return [*faults, f"{found.name}: {missing} steps are missing"] if missing else faults


def _missing(found: StandIn, expected: Mapping[str, Sequence[str]]) -> int:
    """How many steps it has not been told. Steps come again, so the latest one alone says nothing."""
    told = Counter[str]()
    for _, item, _ in found.taken:
        ref = item["interactionId"]
        told[ref] += item["step"] in expected.get(ref, ())[told[ref] : told[ref] + 1]
    return sum(len(steps) - told[ref] for ref, steps in expected.items())


async def _drained(
    found: Sequence[StandIn], cursor: str, database_url: str, refs: Sequence[str]
) -> tuple[list[str], Mapping[str, Mapping[str, Sequence[str]]]]:
    """Wait until every alert is over and everybody has been told everything: who has not, and what each had to be."""
    until = time.monotonic() + DRAIN_SECONDS
    while True:
        told = _told(await stored_after(cursor, database_url), found)
        is_over = all(by_ref[ref][-1] == "OVER" for by_ref in told.values() for ref in refs if ref in by_ref)
        late = [each.name for each in found if _missing(each, told[each.ref])]
        if (is_over and not late) or time.monotonic() > until:
            return late, told
        await asyncio.sleep(1)


def _told(stored: Any, found: Sequence[StandIn]) -> dict[str, dict[str, list[str]]]:
    """The steps that the log has for each destination, by interaction."""
    by_number: dict[int, dict[str, list[str]]] = {int(each.ref.removeprefix("dst_")): {} for each in found}
    for each in stored.events:
        if each.event.type is AlertTold:
            data = each.event.data
            for number in data["destination_ids"]:
                by_number[number].setdefault(data["ref"], []).append(_said(data["step"]))
    return {f"dst_{number}": by_ref for number, by_ref in by_number.items()}


@asynccontextmanager
async def _open(found: Sequence[StandIn], seed: int) -> AsyncIterator[None]:
    for each in found:
        each.choose = Random(f"{seed} {each.name}")
        await each.open()
    try:
        yield
    finally:
        for each in found:
            each.close()


async def _meanwhile(
    running: Sequence[Process], found: Sequence[StandIn], refs: Sequence[str], seconds: float, seed: int
) -> float:
    """Work, kill the server that was there first, and have tools and the mail server die; when it was killed."""
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(_WRITERS):
            group.create_task(
                _work([each.port for each in running], refs[number::_WRITERS], until, Random(number + seed))
            )
        for each in found:
            if isinstance(each, Mail) or each.dies:
                group.create_task(_die(each, seconds))
        killing = group.create_task(kill(running[0], seconds))
    return killing.result()


async def _work(ports: Sequence[int], refs: Sequence[str], until: float, choose: Random) -> None:
    """Raise, acknowledge and settle, again and again; at the end nothing calls for anybody."""
    caller = Caller(choose.choice(ports))
    while time.monotonic() < until:
        for step in _LIFE:
            for ref in refs:
                await _insist(caller, ports, step, ref)
            await asyncio.sleep(_STEP_SECONDS * choose.random() * 2)
    caller.close()


async def _insist(caller: Caller, ports: Sequence[int], mutation: str, ref: str) -> None:
    while True:
        try:
            await caller.call(mutation, input={"id": ref})
        except BROKEN:
            caller.port = ports[(ports.index(caller.port) + 1) % len(ports)]
            await asyncio.sleep(0.1)
        else:
            return


async def _die(found: StandIn, seconds: float) -> None:
    await asyncio.sleep(seconds * 0.3)
    found.close()
    await asyncio.sleep(DOWN_SECONDS)
    await found.open()
