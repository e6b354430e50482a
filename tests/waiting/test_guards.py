"""Guards against crossing: two users, two tabs, a user and a bot, a user and the customer."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.connections.tables import connected_system, mirrored
from app.core.errors import AlreadyClaimed, InvalidTransition, NewerMessage, NotSupported, Unreachable
from app.core.ids import GlobalId
from app.directory.service import block_profile, create_profile, link_customer
from app.interactions.messages import MessageAuthor
from app.interactions.model import State
from app.interactions.service.deliveries import delete_message
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read, type_in
from app.interactions.service.state import clear_attention, close, raise_attention, resume_bot, snooze
from app.kinds.chat_session.service.queue import reset_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from app.kinds.conversation.service import restart_conversation, update_channel_agent
from app.kinds.session.settings import SessionSettings
from app.storage.database import Work
from tests.conftest import START
from tests.graph.listening import ears
from tests.kinds.conftest import ADA, BO, CY, KINDS
from tests.waiting.conftest import fresh_floor
from tests.waiting.floor import EVE, Floor
from tests.waiting.test_waiting import CLOSING

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def msg(number: int) -> GlobalId:
    return GlobalId("msg", number)


# ---- the customer wrote meanwhile ---------------------------------------------------------------------------------


async def test_answer_to_an_older_message_is_refused(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    newer = await floor.hear_in(ref)
    given = {"id": str(ref), "content": {"text": {"content": "Hi"}}, "ifLatestMessageId": "msg_1"}
    payload = await floor.graph.attempt("sendMessage", given, "", BO)
    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == ("NEWER_MESSAGE", ["input", "ifLatestMessageId"])
    with pytest.raises(NewerMessage) as refused:
        await floor.answer(ref, if_latest_message=msg(1))
    assert refused.value.message_id == newer
    await floor.answer(ref, if_latest_message=msg(newer))


async def test_newer_message_is_named_in_the_payload(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    newer = await floor.hear_in(ref)
    document = """mutation($input: CloseInteractionInput!) { closeInteraction(input: $input) {
      errors { code ... on NewerMessageError { newerMessage { id } } } } }"""
    found = await floor.graph.read(document, BO, input={"id": str(ref), "ifLatestMessageId": "msg_1"})
    assert found["closeInteraction"]["errors"] == [{"code": "NEWER_MESSAGE", "newerMessage": {"id": f"msg_{newer}"}}]


@pytest.mark.parametrize("kind", CLOSING, indirect=True)
async def test_closing_after_an_older_message_is_refused(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    newer = await floor.hear_in(ref)
    with pytest.raises(NewerMessage):
        await floor.do(close, BO, ref, if_latest_message=msg(1))
    closed = await floor.do(close, BO, ref, if_latest_message=msg(newer))
    # Who names the latest message has seen it.
    assert (closed.state, closed.waiting.since) == (State.CLOSED, None)


async def test_snooze_after_an_older_message_is_refused(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.hear_in(ref)
    with pytest.raises(NewerMessage):
        await floor.do(snooze, BO, ref, START + HOUR, if_latest_message=msg(1))


async def test_reading_up_to_a_message_leaves_what_arrived_later(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.hear_in(ref)
    assert (await floor.do(mark_read, BO, ref, up_to=msg(1))).unread_customer_messages_count == 1
    payload = await floor.graph.do(
        "markRead", {"id": str(ref), "upToMessageId": "msg_2"}, "interaction { unreadCustomerMessagesCount }", BO
    )
    assert payload["interaction"] == {"unreadCustomerMessagesCount": 0}


async def test_message_of_another_interaction_is_refused_wherever_one_is_named(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    other = await floor.opened(next(each for each in KINDS if each != kind))
    text = {"content": {"text": {"content": "Hi"}}}
    commands: list[tuple[str, str, dict[str, Any]]] = [
        ("markRead", "upToMessageId", {}),
        ("sendMessage", "ifLatestMessageId", text),
        ("closeInteraction", "ifLatestMessageId", {}),
        ("snoozeInteraction", "ifLatestMessageId", {"until": "2026-01-05T10:00:00Z"}),
    ]
    taken = {"session": commands[:2], "conversation": commands}.get(kind, commands[:3])
    for message in (str(msg((await floor.stored(other)).latest_message_id)), "msg_999"):
        for mutation, field, given in taken:
            payload = await floor.graph.attempt(mutation, {"id": str(ref), field: message, **given}, "", BO)
            (error,) = payload["errors"]
            assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", field]), mutation
    after = await floor.stored(ref)
    assert (after.unread_customer_messages_count, after.waiting.unanswered) == (1, 1)


async def test_message_that_was_deleted_meanwhile_can_still_be_named(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    latest = await floor.hear_in(ref)
    await floor.do(delete_message, BO, msg(latest))
    await floor.do(mark_read, BO, ref, up_to=msg(latest))
    await floor.answer(ref, if_latest_message=msg(latest))
    assert (await floor.stored(ref)).waiting.since is None


# ---- somebody else holds it ---------------------------------------------------------------------------------------


async def test_answer_into_what_another_user_holds_needs_override(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    for actor in (EVE, ADA):
        with pytest.raises(AlreadyClaimed) as refused:
            await floor.answer(ref, actor)
        assert refused.value.claimed_by == BO.user_id
    given = {"id": str(ref), "content": {"text": {"content": "Hi"}}, "override": True}
    await floor.graph.do("sendMessage", given, "", EVE)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.waiting.since) == (BO.user_id, None)


READ = "query($id: ID!) { interaction(id: $id) { viewerCan { reply replyBlockedBy } } }"


async def blocked(floor: Floor, ref: GlobalId, actor: Any = BO) -> str | None:
    """Why the actor cannot reply, as viewerCan has it; in step with `reply`."""
    found = (await floor.graph.read(READ, actor, id=str(ref)))["interaction"]["viewerCan"]
    assert found["reply"] is (found["replyBlockedBy"] is None)
    block: str | None = found["replyBlockedBy"]
    return block


async def test_reply_is_blocked_by_the_holder_and_by_a_missing_permission(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    assert await blocked(floor, ref) is None
    await floor.do(claim, EVE, ref)
    assert await blocked(floor, ref) == "HELD_BY_OTHER"
    assert await blocked(floor, ref, EVE) is None
    assert await blocked(floor, ref, CY) == "NOT_ALLOWED"


@pytest.mark.parametrize("kind", ["agent_session", "chat_session"], indirect=True)
async def test_reply_is_blocked_by_closing(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(close, BO, ref)
    assert await blocked(floor, ref) == "CLOSED"


async def test_reply_is_blocked_while_its_connection_cannot_send(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    assert await blocked(floor, ref) is None
    row = {"system": "X", "name": "X", "settings": {}, "token": "x", "address": "https://x.example.com", "cannot": ""}

    def attach(work: Work) -> None:
        at = {"created_at": work.now, "updated_at": work.now}
        made = sa.insert(connected_system).values(**row, **at, paused=False, refused_count=0, version=1)
        work.connection.execute(made)
        work.connection.execute(
            sa.insert(mirrored).values(id=ref.number, connection_id=1, upstream_key="1", synced_at=work.now)
        )

    async def stands(**values: object) -> tuple[str | None, bool]:
        changed = sa.update(connected_system).values({"paused": False, "fault": None, "reach_fault": None, **values})
        await floor.graph.database.command(lambda work: work.connection.execute(changed))
        document = "query($id: ID!) { interaction(id: $id) { viewerCan { reply replyBlockedBy close } } }"
        can = (await floor.graph.read(document, BO, id=str(ref)))["interaction"]["viewerCan"]
        return can["replyBlockedBy"], can["reply"]

    await floor.graph.database.command(attach)
    down, free = ("CONNECTION_DOWN", False), (None, True)
    for fault in ("TOKEN", "SILENT", "ANSWER"):
        assert await stands(reach_fault=fault) == down
    assert await stands(reach_fault="HOOK") == await stands() == free
    assert await stands(paused=True) == await stands(fault="SECRET_UNREADABLE") == down
    assert await stands(paused=True, address=None) == free


async def test_reply_is_blocked_as_long_as_the_channel_would_not_deliver(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    possible = "query($id: ID!) { interaction(id: $id) { ... on Conversation { replyPossible } } }"

    async def agrees() -> str | None:
        found = (await floor.graph.read(possible, BO, id=str(ref)))["interaction"]["replyPossible"]
        block = await blocked(floor, ref)
        assert found is (block is None)
        return block

    assert await agrees() is None
    await floor.do(update_channel_agent, BO, "cha_1", {"in_sync": False})
    assert await agrees() == "ACCOUNT_OFFLINE"
    await floor.do(update_channel_agent, BO, "cha_1", {"in_sync": True})
    await floor.pass_until(START + timedelta(hours=24))
    assert await agrees() == "WINDOW_CLOSED"
    await floor.do(restart_conversation, BO, ref)
    assert await agrees() == "CUSTOMER_MUST_ANSWER"
    await floor.hear_in(ref)
    assert await agrees() is None


@pytest.mark.parametrize(
    ("kind", "change", "block"),
    [
        ("session", "unsubscribed = true", "UNSUBSCRIBED"),
        ("session", "phone_number = NULL", "NO_NUMBER"),
        ("conversation", None, "BLOCKED"),
    ],
    indirect=["kind"],
)
async def test_reply_is_blocked_where_it_would_not_reach_the_customer(
    floor: Floor, kind: str, change: str | None, block: str
) -> None:
    ref = await floor.opened(kind)
    customer = floor.targets[kind]["customer_id"]
    if change is None:
        profile = await floor.do(create_profile, ADA, {"name": "Ana"})
        await floor.do(link_customer, ADA, f"cus_{customer}", f"prf_{profile.id}")
        await floor.do(block_profile, ADA, f"prf_{profile.id}")
    else:
        sql = f"UPDATE customer SET {change} WHERE id = {customer}"
        await floor.do(lambda work: work.connection.exec_driver_sql(sql).rowcount)
    assert await blocked(floor, ref) == block
    with pytest.raises(Unreachable):
        await floor.answer(ref)


async def test_reply_is_blocked_by_the_bot_where_the_deployment_says_so(database_url: str) -> None:
    async with fresh_floor(database_url, None, SessionSettings(allow_reply_without_attention=False)) as floor:
        ref = await floor.opened("session")
        assert await blocked(floor, ref) == "BOT_IN_CHARGE"


# ---- the bot ------------------------------------------------------------------------------------------------------


async def bot_active(floor: Floor, ref: GlobalId) -> bool:
    found: bool = (await floor.stored(ref)).bot_active
    return found


@pytest.mark.parametrize("taken_by", ["claim", "answer"])
async def test_user_takes_over_from_the_ai_agent_until_it_is_released(floor: Floor, taken_by: str) -> None:
    ref = await floor.opened("agent_session")
    assert await bot_active(floor, ref)
    if taken_by == "claim":
        await floor.do(claim, BO, ref)
        assert await floor.reasons(ref) == {"CUSTOMER_WAITING"}
    else:
        await floor.answer(ref)
    history = (
        "query($id: ID!) { interaction(id: $id) { history(first: 2) { edges { node { changes { field after } } } } } }"
    )
    found = await floor.graph.read(history, BO, id=str(ref))
    changes = [change for edge in found["interaction"]["history"]["edges"] for change in edge["node"]["changes"]]
    assert {"field": "botActive", "after": "false"} in changes
    assert not await bot_active(floor, ref)
    await floor.hear_in(ref)
    await floor.answer(ref, author=MessageAuthor.AI_AGENT)
    assert (await floor.stored(ref)).waiting.since is not None
    await floor.do(release, BO, ref)
    assert await bot_active(floor, ref)


@pytest.mark.parametrize("kind", ["session", "agent_session", "chat_session"], indirect=True)
async def test_bot_resumes_when_it_is_handed_the_interaction_back(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    if kind == "session":
        await floor.graph.do("updateSession", {"id": str(ref), "needAttention": True}, "", BO)
    await floor.do(claim, BO, ref)
    with pytest.raises(AlreadyClaimed):
        await floor.do(resume_bot, EVE, ref)
    fields = "interaction { botActive assignee { id } attention { needed } viewerCan { resumeBot } }"
    payload = await floor.graph.do("resumeBot", {"id": str(ref)}, fields, BO)
    assert payload["interaction"] == {
        "botActive": True,
        "assignee": None,
        "attention": {"needed": False},
        "viewerCan": {"resumeBot": False},
    }
    assert f"{kind}.bot_resumed" in await floor.topics(ref)
    with pytest.raises(InvalidTransition):
        await floor.do(resume_bot, BO, ref)


async def test_bot_is_not_put_beside_the_user_who_handles_a_chat(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(claim, BO, ref)
    with pytest.raises(InvalidTransition) as refused:
        await floor.do(update_chat_session, BO, ref, {"chatbot_is_active": True})
    assert refused.value.path == ("chatbot_is_active",)
    assert not await bot_active(floor, ref)
    await floor.do(release, BO, ref)
    await floor.do(update_chat_session, BO, ref, {"chatbot_is_active": True})
    assert await bot_active(floor, ref)


async def test_bot_of_a_conversation_is_not_supported(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    with pytest.raises(NotSupported):
        await floor.do(resume_bot, BO, ref)


async def test_bot_of_a_queued_chat_resumes_and_takes_it_off_the_queue(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    after = await floor.do(resume_bot, BO, ref)
    assert (after.status, after.attention.needed) == ("CUSTOMER_LAST", False)


# ---- raising by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLOSING, indirect=True)
async def test_attention_of_a_closed_interaction_is_not_raised(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(close, BO, ref)
    with pytest.raises(InvalidTransition, match=r"reopen(ed)?"):
        await floor.do(raise_attention, BO, ref)


async def test_attention_of_a_session_that_is_over_is_not_raised(floor: Floor) -> None:
    ref = await floor.opened("session")
    await floor.pass_until(START + 3 * HOUR)
    with pytest.raises(InvalidTransition, match="needAttention"):
        await floor.do(raise_attention, BO, ref)


async def test_attention_of_a_snoozed_conversation_is_not_raised(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(snooze, BO, ref, START + HOUR)
    with pytest.raises(InvalidTransition, match="end its snooze first"):
        await floor.do(raise_attention, BO, ref)


async def test_note_of_raised_attention_is_seen_by_those_who_listen(floor: Floor, kind: str, database_url: str) -> None:
    ref = await floor.opened(kind)
    async with ears(floor.graph, database_url) as heard:
        listener = await heard.listen("subscription { attentionChanged { interaction { attention { note } } } }", BO)
        await floor.graph.do("raiseAttention", {"id": str(ref), "level": "URGENT", "note": "VIP"}, "", BO)
        assert await listener.next() == {"interaction": {"attention": {"note": "VIP"}}}
    await floor.do(clear_attention, BO, ref)
    assert (await floor.stored(ref)).raised_note is None


# ---- typing -------------------------------------------------------------------------------------------------------


async def test_typing_is_not_echoed_and_ends_with_the_message(floor: Floor, kind: str, database_url: str) -> None:
    ref = await floor.opened(kind)
    document = "subscription($id: ID!) { typingChanged(interactionId: $id) { user { id } at until } }"
    async with ears(floor.graph, database_url) as heard:
        own, other = await heard.listen(document, BO, id=str(ref)), await heard.listen(document, EVE, id=str(ref))
        await floor.do(type_in, BO, ref)
        first = await other.next()
        assert (first["user"], first["until"] > first["at"]) == ({"id": "usr_2"}, True)
        await floor.answer(ref)
        second = await other.next()
        assert (second["user"], second["until"]) == ({"id": "usr_2"}, second["at"])
        assert await own.silent()
