"""Each command of a session of the AI agents' platform: forbidden, refused there, and done there."""

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read, send_message, type_in
from app.interactions.service.notes import add_note
from app.interactions.service.state import (
    acknowledge,
    add_labels,
    clear_attention,
    close,
    raise_attention,
    reopen,
    resume_bot,
)
from app.interactions.service.teams import assign_team
from app.kinds.agent_session import service
from app.kinds.agent_session.model import PREFIX
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.agent_session.upstream.vectara import Vectara
from app.settings import Settings
from tests.connections.abilities import Bench, Case, Do, Written, fields, given, hears, walk_through
from tests.connections.conftest import ADA
from tests.graph.running import Graph
from tests.kinds.agent_session.upstream.vectara.conftest import Desk
from tests.kinds.agent_session.upstream.vectara.platform import Platform
from tests.kinds.conftest import BO

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

SESSION = "/v2/agents/agt_support/sessions/{id}"
TEXT = {"type": "text", "content": "Where is it?"}
ASKED = {"type": "input_message", "messages": [TEXT]}


def switch(on: bool) -> Written:
    return "PATCH", SESSION, {"enabled": on}


def change(**changes: Any) -> Do:
    async def do(bench: Bench, ref: GlobalId) -> None:
        await bench.run(service.update, BO, str(ref), changes)

    return do


async def delete(bench: Bench, ref: GlobalId) -> None:
    await bench.run(service.delete, BO, str(ref))


CASES: Mapping[str, Case] = {
    Command.CLOSE: Case(given(close), [switch(False)], of=fields("enabled")),
    Command.REOPEN: Case(given(reopen), [switch(True)], [given(close)], fields("enabled")),
    Command.UPDATE: Case(change(name="Parcel"), [("PATCH", SESSION, {"name": "Parcel"})], of=fields("name")),
    Command.RECEIVE: Case(hears(TEXT), [("POST", f"{SESSION}/events", ASKED)]),
    # These are kept here alone.
    Command.REPLY: Case(given(send_message, TEXT)),
    Command.BOT_REPLY: Case(given(send_message, TEXT, author=MessageAuthor.BOT)),
    Command.CLAIM: Case(given(claim), of=fields("assignee_id")),
    Command.RELEASE: Case(given(release), before=[given(claim)], of=fields("assignee_id")),
    Command.ASSIGN: Case(given(assign, ADA.user_id), of=fields("assignee_id")),
    Command.RESUME_BOT: Case(given(resume_bot), before=[given(claim)]),
    Command.IMPORT: Case(hears(TEXT, imported=True)),
    Command.MARK_READ: Case(given(mark_read)),
    Command.NOTE: Case(given(add_note, "Asks often.")),
    Command.TYPE: Case(given(type_in)),
    Command.LABEL: Case(given(add_labels, ["vip"]), of=fields("labels")),
    Command.ASSIGN_TEAM: Case(given(assign_team, None)),
    Command.RAISE_ATTENTION: Case(given(raise_attention), of=fields("raised_level")),
    Command.CLEAR_ATTENTION: Case(given(clear_attention), before=[given(raise_attention)], of=fields("raised_level")),
    Command.ACKNOWLEDGE: Case(given(acknowledge), before=[given(raise_attention)]),
    Command.DELETE: Case(delete),
}


async def test_command_is_forbidden_refused_and_done_as_the_table_says(
    desk: Desk, platform: Platform, database_url: str, settings: Settings
) -> None:
    numbers = count(1)

    async def opens() -> None:
        key = f"s{next(numbers)}"
        platform.opens(key, metadata={"customer_id": "c-17"})
        platform.runs(key)
        await desk.sync()

    def refuses(times: int) -> None:
        platform.faults = [422] * times

    def writes() -> list[Written]:
        asked = [each for each in platform.requests if each.method != "GET"]
        return [(each.method, re.sub(r"/s\d+", "/{id}", each.path), each.body) for each in asked]

    async def loads(ref: GlobalId) -> Any:
        return await desk.run(lambda work: work.use(AgentSessionRepository).load(ref.number))

    def bench_in(graph: Graph) -> Bench:
        return Bench(desk, graph, opens, refuses, writes, loads, PREFIX, {})

    await walk_through(Vectara, CASES, bench_in, database_url, desk, settings)
