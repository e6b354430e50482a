"""Each command of a chat of SuperOffice: forbidden, refused there, and done there; and each ability beside them."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.directory.repository import UserRepository
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.remote import Hook
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
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.session import PREFIX, ChatMessageType, ChatSessionChanges
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.chat_session.service.queue import reset_chat_session
from app.kinds.chat_session.service.sessions import delete_chat_session, rate_chat_session, update_chat_session
from app.kinds.chat_session.service.transfers import (
    accept_chat_transfer,
    cancel_chat_transfer,
    reject_chat_transfer,
    transfer_chat_session,
)
from app.kinds.chat_session.upstream.superoffice import SuperOffice
from app.settings import Settings
from app.storage.database import Database
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.connections.abilities import Bench, Case, Written, fields, given, hears, sent, walk_through
from tests.connections.conftest import ADA
from tests.graph.running import Graph
from tests.kinds.chat_session.upstream.superoffice.conftest import Pair, connected
from tests.kinds.conftest import BO
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

PATH = "/v1/ChatSession/{id}"
TEXT = {"type": "text", "content": "Yes?"}
USERS: Mapping[str, object] = {"users": {"ada": ADA.user_id, "bo": BO.user_id}}


def replaced(at: str, value: object) -> Mapping[str, object]:
    return {"op": "replace", "path": at, "value": value}


def patch(*operations: Mapping[str, object]) -> Written:
    return "PATCH", PATH, list(operations)


def status(seen: S, wanted: S) -> Written:
    return patch({"op": "test", "path": "Status", "value": seen.wire}, replaced("Status", wanted.wire))


def call(operation: str) -> Written:
    return "POST", f"{PATH}/{operation}", None


def said(author: str | None, **more: object) -> Written:
    body = {"Type": ChatMessageType.TO_CUSTOMER.wire, "Message": "Yes?", "Author": author, **more}
    return "POST", f"{PATH}/Messages", body


taken, offered = given(claim), given(transfer_chat_session, ADA.user_id)
holder, offer = fields("assignee_id"), fields("transfer_to_id")

CASES: Mapping[str, Case] = {
    Command.CLAIM: Case(taken, [call("Pickup")], of=holder),
    Command.RELEASE: Case(given(release), [call("Reset")], [taken], holder),
    ChatCommand.RESET: Case(given(reset_chat_session), [call("Reset")], [taken], holder),
    ChatCommand.TRANSFER: Case(offered, [call("TransferTo/{id}")], [taken], offer),
    ChatCommand.ACCEPT_TRANSFER: Case(
        given(accept_chat_transfer, actor=ADA), [call("AcceptTransfer")], [taken, offered], holder, ADA
    ),
    ChatCommand.REJECT_TRANSFER: Case(
        given(reject_chat_transfer, actor=ADA), [call("RejectTransfer")], [taken, offered], offer, ADA
    ),
    ChatCommand.CANCEL_TRANSFER: Case(
        given(cancel_chat_transfer), [patch(replaced("TransferTo", None))], [taken, offered], offer
    ),
    Command.ASSIGN: Case(
        given(assign, ADA.user_id), [patch(replaced("User/AssociateId", ADA.user_id))], of=holder, doubtful=True
    ),
    Command.RESUME_BOT: Case(
        given(resume_bot),
        [patch({"op": "test", "path": "ChatbotIsActive", "value": False}, replaced("ChatbotIsActive", True))],
        [taken],
        fields("bot_active"),
        doubtful=True,
    ),
    ChatCommand.RATE: Case(given(rate_chat_session, 4), [patch(replaced("Rating", 4))], [taken], fields("rating")),
    Command.REPLY: Case(given(send_message, TEXT), [said("Bo")], of=sent),
    Command.BOT_REPLY: Case(
        given(send_message, TEXT, author=MessageAuthor.BOT),
        [said(None, SpecialType="BotMessage", SpecialParam=None)],
        of=sent,
    ),
    Command.UPDATE: Case(
        given(update_chat_session, ChatSessionChanges(customer_alias="A.")),
        [patch(replaced("CustomerAlias", "A."))],
        of=fields("customer_alias"),
    ),
    Command.CLOSE: Case(given(close), [status(S.IN_QUEUE, S.CLOSED_FROM_QUEUE)], of=fields("status")),
    Command.REOPEN: Case(given(reopen), [status(S.CLOSED_FROM_QUEUE, S.USER_LAST)], [given(close)], fields("status")),
    # These are kept here alone.
    Command.RECEIVE: Case(hears(TEXT)),
    Command.IMPORT: Case(hears(TEXT, imported=True)),
    Command.MARK_READ: Case(given(mark_read)),
    Command.NOTE: Case(given(add_note, "Asks often.")),
    Command.TYPE: Case(given(type_in)),
    Command.LABEL: Case(given(add_labels, ["vip"]), of=fields("labels")),
    Command.ASSIGN_TEAM: Case(given(assign_team, None)),
    Command.RAISE_ATTENTION: Case(given(raise_attention), of=fields("raised_level")),
    Command.CLEAR_ATTENTION: Case(given(clear_attention), before=[given(raise_attention)], of=fields("raised_level")),
    Command.ACKNOWLEDGE: Case(given(acknowledge)),
    Command.DELETE: Case(given(delete_chat_session), [("DELETE", PATH, None)], of=fields("status")),
}


async def _test_status(pair: Pair) -> None:
    await pair.database.command(close, BO, GlobalId(PREFIX, 1))
    await pair.work()
    (patched,) = pair.reach.bodies
    assert patched == [replaced("Status", S.CLOSED_FROM_QUEUE.wire)]


async def _filter_status(pair: Pair) -> None:
    asked: list[Any] = []
    ask = pair.reach.ask

    async def recorded(path: str, **query: Any) -> Any:
        asked.append(query)
        return await ask(path, **query)

    pair.reach.ask = recorded  # type: ignore[method-assign]
    await pair.keeper.remote.changes(pair.reach, None, None)
    assert asked
    assert not any("status" in str(each.get("$filter")) for each in asked)


async def _webhooks(pair: Pair) -> None:
    reads = len(pair.reach.reads)
    hook = Hook("https://switchboard.example.com/hooks/con_1/x", "whsec_x", "Office")
    assert not await pair.keeper.remote.tend(pair.reach, hook, first=True)
    assert (len(pair.reach.reads), pair.reach.writes) == (reads, [])


ABILITIES: Mapping[str, Callable[[Pair], Awaitable[None]]] = {
    "TEST_STATUS": _test_status,
    "FILTER_STATUS": _filter_status,
    "WEBHOOKS": _webhooks,
}
"""Of each ability beside the commands, what is so without it."""


async def test_command_is_forbidden_refused_and_done_as_the_table_says(
    pair: Pair, database_url: str, settings: Settings
) -> None:
    for database in (pair.database, pair.twin.database):
        await database.command(_present)
    pair.reach.given = USERS

    async def opens() -> None:
        await pair.hears(await pair.requested(), "Hello?")
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
        return await pair.database.command(lambda work: work.use(ChatSessionRepository).load(ref.number))

    def bench_in(graph: Graph) -> Bench:
        return Bench(pair, graph, opens, refuses, writes, loads, PREFIX, USERS)

    await walk_through(SuperOffice, CASES, bench_in, database_url, pair, settings, beside=ABILITIES)


@pytest.mark.parametrize("name", ABILITIES)
async def test_ability_that_the_system_has_not_is_not_relied_on(
    twin: House, database: Database, clock: ManualClock, name: str
) -> None:
    pair = await connected(twin, database, clock, capabilities={name: False})
    await pair.hears(await pair.requested(), "Hello?")
    await pair.sync()
    await ABILITIES[name](pair)


def _present(work: Work) -> None:
    users = work.use(UserRepository)
    user = users.get(ADA.user_id)
    assert user is not None
    users.set_presence(user, present=True, at=work.now)
