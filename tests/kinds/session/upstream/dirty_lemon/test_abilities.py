"""Each command of a Session of the messaging bot by text message: forbidden, refused there, and done there."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read, send_message, type_in
from app.interactions.service.notes import add_note
from app.interactions.service.state import acknowledge, add_labels, clear_attention, raise_attention, resume_bot
from app.interactions.service.teams import assign_team
from app.kinds.session import service
from app.kinds.session.model import PREFIX
from app.kinds.session.repository import SessionRepository
from app.kinds.session.upstream.dirty_lemon import DirtyLemon
from app.settings import Settings
from tests.connections.abilities import Bench, Case, Do, Written, fields, given, hears, sent, walk_through
from tests.connections.conftest import ADA
from tests.graph.running import Graph
from tests.kinds.conftest import BO
from tests.kinds.session.upstream.dirty_lemon.conftest import Desk
from tests.kinds.session.upstream.dirty_lemon.lemon import ANA, Lemon

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CURRENT = f"/v1/customers/{ANA}/sessions/current"
TEXT = {"type": "text", "content": "We do."}
LONG_AFTER = 3 * 3_600


def said(role: str) -> Written:
    return "POST", f"{CURRENT}/messages", {"content": "We do.", "content_type": "text", "sender_role": role}


def flag(needed: bool) -> Written:
    return "PATCH", CURRENT, {"need_attention": needed}


def change(**changes: Any) -> Do:
    async def do(bench: Bench, ref: GlobalId) -> None:
        await bench.run(service.update, BO, changes, ref=str(ref))

    return do


flagged = change(need_attention=True)

CASES: Mapping[str, Case] = {
    Command.REPLY: Case(given(send_message, TEXT), [said("agent")], of=sent),
    Command.BOT_REPLY: Case(given(send_message, TEXT, author=MessageAuthor.BOT), [said("bot")], of=sent),
    Command.UPDATE: Case(change(tags=["vip"]), [("PATCH", CURRENT, {"tags": ["vip"]})], of=fields("tags")),
    Command.CLEAR_ATTENTION: Case(given(clear_attention), [flag(False)], [flagged], fields("need_attention")),
    Command.RESUME_BOT: Case(given(resume_bot), [flag(False)], [flagged], fields("need_attention")),
    # These are kept here alone.
    Command.CLAIM: Case(given(claim), of=fields("assignee_id")),
    Command.RELEASE: Case(given(release), before=[given(claim)], of=fields("assignee_id")),
    Command.ASSIGN: Case(given(assign, ADA.user_id), of=fields("assignee_id")),
    Command.RECEIVE: Case(hears(TEXT)),
    Command.IMPORT: Case(hears(TEXT, imported=True)),
    Command.MARK_READ: Case(given(mark_read), of=fields("unread_customer_messages_count")),
    Command.NOTE: Case(given(add_note, "Asks often.")),
    Command.TYPE: Case(given(type_in)),
    Command.LABEL: Case(given(add_labels, ["vip"]), of=fields("labels")),
    Command.ASSIGN_TEAM: Case(given(assign_team, None)),
    Command.RAISE_ATTENTION: Case(given(raise_attention), of=fields("raised_level")),
    Command.ACKNOWLEDGE: Case(given(acknowledge), before=[flagged]),
}


async def test_command_is_forbidden_refused_and_done_as_the_table_says(
    desk: Desk, lemon: Lemon, database_url: str, settings: Settings
) -> None:
    async def opens() -> None:
        desk.clock.advance(LONG_AFTER)
        lemon.hears("Do you ship?")
        await desk.offer(lemon.event())
        await desk.sync()

    def refuses(times: int) -> None:
        lemon.faults = [422] * times

    def writes() -> list[Written]:
        return [(method, path, _timeless(body)) for method, path, body in lemon.writes]

    async def loads(ref: GlobalId) -> Any:
        return await desk.run(lambda work: work.use(SessionRepository).load(ref.number))

    def bench_in(graph: Graph) -> Bench:
        return Bench(desk, graph, opens, refuses, writes, loads, PREFIX, {})

    await walk_through(DirtyLemon, CASES, bench_in, database_url, desk, settings)


def _timeless(body: dict[str, Any]) -> dict[str, Any]:
    """The body without the time of a message, which other tests are about."""
    return {name: value for name, value in body.items() if name != "sent_at"}
