"""Each command of a conversation of the messaging bot: forbidden, refused there, and done there."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import Command
from app.interactions.service.deliveries import report_message_status, set_reaction
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
    snooze,
    unsnooze,
)
from app.interactions.service.teams import assign_team
from app.kinds.conversation.model.commands import ConversationCommand
from app.kinds.conversation.model.conversation import PREFIX, Status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.service import delete_conversation, restart_conversation, update_conversation
from app.kinds.conversation.upstream.voicebot import Voicebot
from app.kinds.conversation.upstream.voicebot.client import KEEPS_NOTES
from app.settings import Settings
from app.storage.work import Work
from tests.conftest import START
from tests.connections.abilities import Bench, Case, Written, fields, given, hears, sent, walk_through
from tests.connections.conftest import ADA
from tests.graph.running import Graph
from tests.kinds.conftest import BO, store_customer
from tests.kinds.conversation.upstream.voicebot.conftest import Pair

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

PATH = "/conversations/{id}"
TEXT = {"type": "text", "content": "Yes?"}
SAID: Written = ("POST", f"{PATH}/messages", {"type": "text", "text": {"content": "Yes?"}})
LATER = START + timedelta(days=9)


def status(said: str) -> Written:
    return "PATCH", PATH, {"status": said}


def user(number: int | None) -> Written:
    return "PATCH", PATH, {"user_id": number}


async def hello(bench: Bench, ref: GlobalId) -> GlobalId:
    """The customer's message."""
    return GlobalId("msg", next(each.id for each in await bench.desk.messages() if each.interaction_id == ref.number))


async def react(bench: Bench, ref: GlobalId) -> None:
    await bench.run(set_reaction, BO, await hello(bench, ref), "\U0001f600")


async def reaction(bench: Bench, ref: GlobalId) -> list[str | None]:
    return [each.agent_reaction for each in await bench.desk.messages() if each.interaction_id == ref.number]


async def report(bench: Bench, ref: GlobalId) -> None:
    await bench.run(report_message_status, BO, await hello(bench, ref), MessageStatus.READ)


async def window_ends(bench: Bench, ref: GlobalId) -> None:
    bench.desk.clock.advance(timedelta(hours=25).total_seconds())
    await bench.desk.sync()


async def restart(bench: Bench, ref: GlobalId) -> None:
    await bench.run(restart_conversation, BO, str(ref))


CASES: Mapping[str, Case] = {
    Command.CLAIM: Case(given(claim), [status("in-progress"), user(2)], of=fields("status", "assignee_id")),
    Command.RELEASE: Case(given(release), [user(None)], [given(claim)], fields("assignee_id")),
    Command.ASSIGN: Case(given(assign, ADA.user_id), [user(1)], of=fields("assignee_id")),
    Command.REPLY: Case(given(send_message, TEXT), [SAID], of=sent),
    Command.BOT_REPLY: Case(given(send_message, TEXT, author=MessageAuthor.BOT), [SAID], of=sent),
    Command.MARK_READ: Case(given(mark_read), [("POST", f"{PATH}/mark-read", {"mark_external": False})], anew=True),
    Command.REACT: Case(
        react, [("POST", f"{PATH}/messages/{{id}}/set-reaction", {"reaction": "\U0001f600"})], of=reaction
    ),
    Command.UPDATE: Case(given(update_conversation, {"status": Status.DONE}), [status("done")], of=fields("status")),
    Command.CLOSE: Case(given(close), [status("done")], of=fields("status")),
    Command.REOPEN: Case(given(reopen), [status("in-progress")], [given(close)], fields("status")),
    Command.NOTE: Case(given(add_note, "Asks often."), [("POST", "/conversation/{id}/notes", {"text": "Asks often."})]),
    # These are kept here alone.
    Command.RECEIVE: Case(hears(TEXT)),
    Command.IMPORT: Case(hears(TEXT, imported=True)),
    Command.TYPE: Case(given(type_in)),
    Command.LABEL: Case(given(add_labels, ["vip"]), of=fields("labels")),
    Command.ASSIGN_TEAM: Case(given(assign_team, None)),
    Command.RAISE_ATTENTION: Case(given(raise_attention), of=fields("raised_level")),
    Command.CLEAR_ATTENTION: Case(given(clear_attention), before=[given(raise_attention)], of=fields("raised_level")),
    Command.ACKNOWLEDGE: Case(given(acknowledge)),
    Command.REPORT_STATUS: Case(report),
    Command.SNOOZE: Case(given(snooze, LATER), of=fields("snooze_until")),
    Command.UNSNOOZE: Case(given(unsnooze), before=[given(snooze, LATER)], of=fields("snooze_until")),
    ConversationCommand.RESTART: Case(restart, [("POST", f"{PATH}/restart", None)], [window_ends], sent),
    Command.DELETE: Case(given(delete_conversation)),
}


# What the ability KEEPS_NOTES is about, the tests of notes show.
async def test_command_is_forbidden_refused_and_done_as_the_table_says(
    pair: Pair, database_url: str, settings: Settings
) -> None:
    made: list[int] = []

    def customer(work: Work) -> int:
        made.append(len(made))
        key = f"c-{len(made)}"
        return store_customer(
            work, customer_key=key, system="CONVERSATION", channel="WHATSAPP", display_id=f"4915{key}"
        )

    async def opens() -> None:
        await pair.hears("Hello?", await pair.twin.database.command(customer))
        await pair.sync()

    def refuses(times: int) -> None:
        pair.reach.faults = ["refused"] * times

    def writes() -> list[Written]:
        asked = [each.split(" ") for each in pair.reach.writes]
        return [
            (method, re.sub(r"/\d+", "/{id}", path), body)
            for (_, method, path), body in zip(asked, pair.reach.bodies, strict=True)
        ]

    async def loads(ref: GlobalId) -> Any:
        return await pair.database.command(lambda work: work.use(ConversationRepository).load(ref.number))

    def bench_in(graph: Graph) -> Bench:
        return Bench(pair, graph, opens, refuses, writes, loads, PREFIX, pair.reach.given)

    await walk_through(Voicebot, CASES, bench_in, database_url, pair, settings, beside={KEEPS_NOTES})
