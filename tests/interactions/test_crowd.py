"""A crowd in several processes works on a few interactions, and what is left is what was told."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import DomainError, OutcomeUnknown, Unavailable
from app.core.events import LoggedEvent
from app.core.ids import GlobalId
from app.directory import service as directory
from app.interactions.model import Level
from app.interactions.service import holding, messages, notes, state
from app.interactions.service.change import remove
from app.interactions.tables import interaction, interaction_tag, message
from app.kinds.session import service as sessions
from app.scheduler import recompute_all
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.event_log import lane
from tests.conftest import CountingIds, ManualClock
from tests.kinds.conftest import ADA, store_customer
from tests.scheduler.conftest import RULES, said, told

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

PROCESSES, AT_ONCE, COMMANDS, USERS, SESSIONS = 3, 12, 240, 4, 3
PERMISSIONS = ["session:read", "session:write"]

_TOLD = ("assignee_id", "level", "state")

Unit = Callable[[Work], object]


async def test_crowd_loses_no_write_and_no_event(database_url: str, clock: ManualClock) -> None:
    ids = CountingIds()
    processes = [
        await open_database(database_url, clock=clock, ids=ids, settings=Settings(pool_size=6), kinds=RULES)
        for _ in range(PROCESSES)
    ]
    try:
        refs = [await processes[0].command(_furnished, number) for number in range(SESSIONS)]
        await _work(processes, refs)
        log = await told(processes[0])
        await processes[0].command(_require_no_gap, log)
        await processes[0].command(_require_rows_as_told, _replayed(log))
        recomputed = await recompute_all(processes[0], lambda *_: None)
        assert (recomputed.changed, recomputed.failures) == (0, ())
    finally:
        for process in processes:
            await process.close()


def _furnished(work: Work, number: int) -> GlobalId:
    if number == 0:
        directory.bootstrap(work, None)
        for user in range(2, USERS + 1):
            directory.create_user(work, ADA, {"name": f"U{user}", "login": f"u{user}", "permissions": PERMISSIONS})
    customer = store_customer(work, customer_key=f"key{number}", system="SESSION")
    posted = messages.receive_message(work, ADA, {"kind": "session", "customer_id": customer}, [said("Hello?")])
    return GlobalId("ses", posted.interaction)


async def _work(processes: Sequence[Database], refs: Sequence[GlobalId]) -> None:
    rng = random.Random(1)
    units = iter([_unit(rng, rng.choice(refs)) for _ in range(COMMANDS)] + [lambda work: remove(work, ADA, refs[0])])

    async def one_after_another() -> None:
        for unit in units:
            try:
                await rng.choice(processes).command(unit)
            except (Unavailable, OutcomeUnknown):
                raise
            except DomainError:
                continue  # refused, by what somebody else was faster with

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def _unit(rng: random.Random, ref: GlobalId) -> Unit:
    number = rng.randint(1, USERS)
    who = ADA if number == 1 else Actor(user_id=number, name=f"U{number}", permissions=frozenset(PERMISSIONS))
    other, labels, level = rng.randint(1, USERS), rng.sample("abcd", 2), rng.choice(list(Level))
    key = rng.choice([None, "once", "twice"])
    units: Sequence[Unit] = [
        lambda work: state.set_labels(work, who, ref, labels),
        lambda work: state.add_labels(work, who, ref, labels),
        lambda work: state.remove_labels(work, who, ref, labels),
        lambda work: sessions.update(work, who, {"tags": labels}, ref=ref),
        lambda work: state.raise_attention(work, who, ref, level),
        lambda work: state.acknowledge(work, who, ref),
        lambda work: state.clear_attention(work, who, ref),
        lambda work: holding.claim(work, who, ref),
        lambda work: holding.release(work, who, ref),
        lambda work: holding.assign(work, who, ref, other),
        lambda work: messages.send_message(work, who, ref, said("Yes?"), override=True, idempotency_key=key),
        lambda work: messages.receive_message(work, ADA, {"interaction": ref}, [said("!")], idempotency_key=key),
        lambda work: messages.mark_read(work, who, ref),
        lambda work: notes.add_note(work, who, ref, "Seen."),
        lambda work: directory.set_presence(work, who, other > 1),
        lambda work: directory.deactivate_user(work, ADA, f"usr_{max(other, 2)}"),
        lambda work: directory.activate_user(work, ADA, f"usr_{other}"),
    ]
    return rng.choice(units)


def _require_no_gap(work: Work, log: Sequence[LoggedEvent]) -> None:
    """Fail unless each lane's positions are all there, once."""
    found: dict[int, list[int]] = {}
    for each in log:
        found.setdefault(each.lane, []).append(each.position)
    for number, head in work.connection.execute(sa.select(lane.c.id, lane.c.head)):
        assert sorted(found.get(number, [])) == list(range(1, head + 1))


def _replayed(log: Sequence[LoggedEvent]) -> Mapping[int, Mapping[str, object]]:
    """What each interaction holds after its events; fails where one did not find what the one before it left."""
    left: dict[int, dict[str, Any]] = {}
    versions: dict[int, int] = {}
    for each in sorted(log, key=lambda one: (one.lane, one.position)):
        event, data = each.event, each.event.data
        number, version = event.interaction_id, event.version
        if number is None or version is None:
            continue
        assert version - versions.get(number, version) in (0, 1), event
        versions[number] = version
        if "before" not in data or event.topic.startswith("attention."):
            continue  # nothing changed that is told, or the event before this one has told it
        own = {"customer_id": event.customer_id, "assignee_id": event.assignee_id, "level": event.level_after}
        now = None if data["after"] is None else {**data["after"], **own}
        if data["before"] is not None:
            was, found = left.pop(number), {**(now or {}), **data["before"]}
            assert all(was.get(name) == found.get(name) for name in was.keys() | found.keys()), (was, event)
        if now is not None:
            left[number] = now
    return left


def _require_rows_as_told(work: Work, told: Mapping[int, Mapping[str, Any]]) -> None:
    """Fail unless the rows hold what their events say, and other rows what these rows do."""
    rows = work.connection.execute(sa.select(interaction)).all()
    assert {row.id for row in rows} == told.keys()
    for row in rows:
        event = told[row.id]
        assert [row.assignee_id, row.attention_level, row.state] == [event[name] for name in _TOLD]
        labels = sa.select(interaction_tag.c.value).where(
            interaction_tag.c.interaction_id == row.id, interaction_tag.c.name == "label"
        )
        assert sorted(work.connection.scalars(labels)) == sorted(row.labels) == sorted(event["labels"])
        unread = sa.func.count().filter(message.c.author == "CUSTOMER", message.c.status != "READ")
        of = sa.select(sa.func.max(message.c.id), unread).where(message.c.interaction_id == row.id)
        assert work.connection.execute(of).one() == (row.latest_message_id, row.unread_customer_messages_count)
