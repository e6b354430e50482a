"""What can happen to the inbox of a connection, in any order, beside a plain model of what has to come of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.connections.repository import InboxRepository
from app.connections.runner import LEASE, Runner
from app.connections.service import (
    Verdict,
    apply_delivery,
    delete_connection,
    drop_parked,
    forget_deliveries,
    pause_connection,
    replay_parked,
    resume_connection,
)
from app.connections.service.applying import KEPT_FOR, PAUSES
from app.core.ids import GlobalId
from app.directory.repository import CustomerRepository
from app.interactions.connector import Mapped, Settings
from app.interactions.service.erasing import erase_customer, erase_part
from app.interactions.tables import message
from app.kinds.conversation.upstream.http_source import HttpSource
from app.storage.database import Database, Work
from app.storage.leases import take_lease
from tests.conftest import ManualClock
from tests.connections.conftest import ADA, connect, signed

MOST_OPEN = 12
_AHEAD = (1, 6, 31, 121)
_FAULT = "a fault of ours"
KINDS = ("customer", "answer", "status", "broken", "fault")

customers = st.sampled_from(("c-1", "c-2"))


class FaultySource(HttpSource):
    """An HTTP source with a fault of ours: it fails after all was written."""

    def apply(self, work: Work, connection_id: int, settings: Settings, body: str) -> Mapped | None:
        found = super().apply(work, connection_id, settings, body)
        if _FAULT in body:
            raise RuntimeError(_FAULT)
        return found


CONNECTORS = {"HTTP": FaultySource()}


@dataclass
class Delivered:
    """A delivery as the model has it. `about` is its customer, where that can be read; `names` the message that it
    brings, or whose status it tells."""

    key: str
    kind: str
    about: str | None
    names: str
    body: str
    due_at: datetime
    state: str = "PENDING"
    attempts: int = 0


@dataclass
class Said:
    """A message as it has to be here."""

    key: str
    about: str
    status: str


class InboxMachine(RuleBasedStateMachine):
    """Deliveries of one source about two customers, and two processes that apply them."""

    loop: asyncio.AbstractEventLoop
    database: Database
    clock: ManualClock
    born = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).born += 1
        self.count = 0
        self.paused = False
        self.kept: list[Delivered] = []
        self.said: list[Said] = []
        self.held_until: datetime | None = None
        self.source = self.wait(connect(self.database, self.clock, f"Shop {self.born}"))
        self.runners = [Runner(self.database, CONNECTORS, self.clock, name) for name in "ab"]

    @property
    def now(self) -> datetime:
        return self.clock.now

    def wait(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def run(self, f: Any, /, *given: Any, **named: Any) -> Any:
        return self.wait(self.database.command(f, *given, **named))

    # ---- what arrives

    @rule(kind=st.sampled_from(KINDS), customer=customers, back=st.integers(-1, 3))
    def arrives(self, kind: str, customer: str, back: int) -> None:
        """Something new; a status is about one of the latest messages, or about one that is still to come."""
        self.count += 1
        about = f"{customer} of {self.born}"
        names = f"m-{self.born}-{self.count - back if kind == 'status' else self.count}"
        body: dict[str, Any] = {"customer": {"key": about, "name": "Ana"}}
        if kind == "status":
            body["statuses"] = [{"key": names, "status": "DELIVERED"}]
        else:
            author = "CUSTOMER" if kind == "customer" else "BOT"
            text = _FAULT if kind == "fault" else f"Said {names}"
            body["messages"] = [{"key": names, "author": author, "sent_at": self.now.isoformat(), "text": text}]
        given = "no JSON" if kind == "broken" else orjson.dumps(body).decode()
        known = None if kind == "broken" else about
        new = Delivered(f"evt-{self.born}-{self.count}", kind, known, names, given, self.now)
        is_full = sum(each.state != "DONE" for each in self.kept) >= MOST_OPEN
        verdict = self.wait(self.source.offer(given, new.key, most_open=MOST_OPEN))
        assert verdict is (Verdict.FULL if is_full else Verdict.KEPT)
        if not is_full:
            self.kept.append(new)

    @rule(pick=st.integers(0, 30))
    def comes_again(self, pick: int) -> None:
        if self.kept:
            again = self.kept[pick % len(self.kept)]
            assert self.wait(self.source.offer(again.body, again.key, most_open=MOST_OPEN)) is Verdict.REPEATED

    @rule()
    def is_signed_by_somebody_else(self) -> None:
        headers = signed(f"whsec_{'A' * 43}=", "{}", "evt-forged")
        assert self.wait(self.source.offer("{}", headers=headers)) is Verdict.WRONG_SIGNATURE

    # ---- what is done with it

    @rule(which=st.integers(0, 1))
    def works(self, which: int) -> None:
        """A process applies what is due, unless another one has the lease."""
        self.wait(self.runners[which].step())
        if not self.paused and (self.held_until is None or self.held_until <= self.now):
            for each in [one for one in self.kept if _is_due(one, self.now)]:
                self._applied(each)

    @rule(after=st.booleans())
    def dies(self, after: bool) -> None:
        """A process takes the lease, applies one delivery or none, and ends without a word."""
        if not self.run(take_lease, f"connection {self.source.id}", "dead", LEASE):
            return
        self.held_until = self.now + LEASE
        due = [] if self.paused else [one for one in self.kept if _is_due(one, self.now) and one.kind != "fault"]
        if after and due:
            self.run(_apply_first, self.source.id, due[0].key)
            self._applied(due[0])

    @rule(seconds=st.sampled_from(_AHEAD))
    def go_on(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(luck=st.integers(0, 4))
    def much_later(self, luck: int) -> None:
        """What was applied is forgotten with its key."""
        if luck == 0:
            self.clock.now += KEPT_FOR + timedelta(seconds=1)
            assert self.run(forget_deliveries) is False
            self.kept = [each for each in self.kept if each.state != "DONE"]

    # ---- what people do

    @rule()
    def is_paused_or_resumed(self) -> None:
        self.run(resume_connection if self.paused else pause_connection, ADA, self.source.ref)
        self.paused = not self.paused

    @rule(again=st.booleans())
    def parked_are_replayed_or_dropped(self, again: bool) -> None:
        parked = [each for each in self.kept if each.state == "PARKED"]
        done = self.run(replay_parked if again else drop_parked, ADA, self.source.ref)
        assert done.number == len(parked)
        for each in parked:
            each.state = "PENDING" if again else "DONE"
            each.attempts = 0 if again else each.attempts
            each.due_at = self.now

    @rule(customer=customers)
    def customer_is_erased(self, customer: str) -> None:
        about = f"{customer} of {self.born}"
        found = self.run(_customer, f"con_{self.source.id}:{about}")
        if found is not None:
            self.run(erase_customer, ADA, GlobalId("cus", found))
            while self.run(erase_part, 1_000).more:
                pass
            self.said = [each for each in self.said if each.about != about]
            for each in self.kept:
                each.state = "DONE" if each.about == about else each.state

    # ---- the model

    def _applied(self, each: Delivered) -> None:
        """A delivery is applied, or fails."""
        about = next((one for one in self.said if one.key == each.names), None)
        is_met = any(one.about == each.about for one in self.said)
        of_other = each.kind == "status" and is_met and about is not None and about.about != each.about
        passing = each.kind == "fault" or (each.kind == "status" and (about is None or not is_met))
        if each.kind == "broken" or of_other or passing:
            each.attempts += 1
            if not passing or each.attempts > len(PAUSES):
                each.state = "PARKED"
            else:
                each.due_at = self.now + PAUSES[each.attempts - 1]
            return
        each.state = "DONE"
        if each.kind != "status":
            assert each.about is not None
            status = "DELIVERED" if each.kind == "customer" else "SENT"
            self.said.append(Said(each.names, each.about, status))
        elif about is not None:
            about.status = "DELIVERED"

    @invariant()
    def inbox_is_as_the_model_has_it(self) -> None:
        prefix = f"evt-{self.born}-"
        found = [tuple(row[:4]) for row in self.wait(self.source.kept()) if row[0].startswith(prefix)]
        expected = [(each.key, each.state, each.state != "DONE", each.attempts) for each in self.kept]
        assert found == expected, f"{found} is not {expected}"

    @invariant()
    def messages_are_here_once_in_the_order_of_their_arrival(self) -> None:
        found = self.run(_messages, f"m-{self.born}-")
        expected = [(each.key, each.status) for each in self.said]
        assert found == expected, f"{found} is not {expected}"

    def teardown(self) -> None:
        """All that is left is applied in the end, or parked; nothing is lost."""
        if self.paused:
            self.is_paused_or_resumed()
        for _ in range(len(PAUSES) + 1):
            self.go_on(121)
            self.works(0)
        left = [each for each in self.kept if each.state == "PENDING"]
        assert not left, f"{left} are left"
        self.inbox_is_as_the_model_has_it()
        self.messages_are_here_once_in_the_order_of_their_arrival()
        self.run(delete_connection, ADA, self.source.ref)


def _is_due(each: Delivered, now: datetime) -> bool:
    return each.state == "PENDING" and each.due_at <= now


def _apply_first(work: Work, connection: int, key: str) -> None:
    first = work.use(InboxRepository).due(connection, work.now, 1)
    apply_delivery(work, CONNECTORS, first[0])


def _customer(work: Work, key: str) -> int | None:
    found = work.use(CustomerRepository).get_by_key(key)
    return None if found is None else found.id


def _messages(work: Work, prefix: str) -> list[tuple[str, str]]:
    asked = sa.select(message.c.message_key, message.c.status).where(message.c.message_key.startswith(prefix))
    return [(row[0], row[1]) for row in work.connection.execute(asked.order_by(message.c.id))]
