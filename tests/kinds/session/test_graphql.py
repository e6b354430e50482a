"""Sessions as a client sees them; the examples of the contract's two pages done and read back field by field."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.directory.service import unsubscribe_customer
from app.interactions.service.messages import send_message
from app.kinds.session import service
from app.kinds.session.settings import SessionSettings
from app.settings import Settings
from app.storage.database import Work
from tests.conftest import ManualClock
from tests.graph.running import Graph, open_graph
from tests.kinds.conftest import ADA, BO, CY, DEE, store_customer, store_users
from tests.postgres import round_trips

pytestmark = pytest.mark.anyio

CUSTOMER = "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5"
SESSION = "7cb0a876-5d34-4e03-b725-932606041626"
MESSAGE = "4bada73e-14f2-4306-9752-51b4008251a4"
SUGGESTION = "4891b7bb-1985-48f4-9a03-1e573041bd8a"
REMOTE = "26ae9dea-cd8b-449b-bbb1-cdedf3216686"

FIELDS = """
sessionKey
customer { customerKey }
needAttention tags topics
messages {
  edges { node {
    messageKey
    interaction { ... on Session { sessionKey } }
    text
    contents { ... on TextMessageContent { content } }
    senderRole sentAt createdAt
  } }
}
suggestedMessages { edges { node { suggestionKey remoteId content contentType } } }
createdAt updatedAt
"""


class PageIds:
    """Gives out the keys that a page shows, in the order in which they are asked for."""

    def __init__(self, *uuids: str) -> None:
        self._uuids: Iterator[str] = iter(uuids)

    def uuid(self) -> str:
        return next(self._uuids)

    def key(self, prefix: str) -> str:
        return f"{prefix}_{next(self._uuids)}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def people(customer_key: str) -> Any:
    def fill(work: Work) -> None:
        store_users(work)
        store_customer(work, customer_key=customer_key, system="SESSION", phone_number="+15555550100")

    return fill


@pytest.fixture
async def graph(database_url: str, clock: ManualClock) -> AsyncIterator[Graph]:
    opened = await open_graph(database_url, clock)
    await opened.database.command(people(CUSTOMER))
    await opened.database.command(service.open_for_customer, BO, 1)
    yield opened
    await opened.database.close()


async def test_the_example_of_the_newer_page(database_url: str) -> None:
    clock = ManualClock(at("2017-05-24T19:32:54.048"))
    graph = await open_graph(database_url, clock, ids=PageIds(SESSION, SUGGESTION))
    await graph.database.command(people(CUSTOMER))
    await graph.database.command(service.open_for_customer, BO, 1)
    clock.now = at("2017-05-24T19:32:54.062")
    text = {"type": "text", "content": "Need help?"}
    sent = {"message_key": MESSAGE, "sent_at": at("2017-05-24T19:32:54.060")}
    await graph.database.command(send_message, BO, GlobalId("ses", 1), text, fields=sent)
    clock.now = at("2017-05-24T20:00:00.929")

    payload = await graph.do(
        "updateSession",
        {
            "customerKey": CUSTOMER,
            "needAttention": True,
            "tags": ["detox"],
            "topics": ["product"],
            "suggestedMessages": [{"remoteId": REMOTE, "contentType": "TEXT", "content": "What can I do to help?"}],
            "clientMutationId": "page 000",
        },
        f"session {{ {FIELDS} }}",
        BO,
    )

    session = {
        "sessionKey": SESSION,
        "customer": {"customerKey": CUSTOMER},
        "needAttention": True,
        "tags": ["detox"],
        "topics": ["product"],
        "messages": {
            "edges": [
                {
                    "node": {
                        "messageKey": MESSAGE,
                        "interaction": {"sessionKey": SESSION},
                        "text": "Need help?",
                        "contents": [{"content": "Need help?"}],
                        "senderRole": "AGENT",
                        "sentAt": "2017-05-24T19:32:54.060000Z",
                        "createdAt": "2017-05-24T19:32:54.062000Z",
                    }
                }
            ]
        },
        "suggestedMessages": {
            "edges": [
                {
                    "node": {
                        "suggestionKey": SUGGESTION,
                        "remoteId": REMOTE,
                        "content": "What can I do to help?",
                        "contentType": "TEXT",
                    }
                }
            ]
        },
        "createdAt": "2017-05-24T19:32:54.048000Z",
        "updatedAt": "2017-05-24T20:00:00.929000Z",
    }
    assert payload == {"session": session, "errors": [], "clientMutationId": "page 000"}
    by_key = await graph.read(f"query($key: UUID!) {{ session(sessionKey: $key) {{ {FIELDS} }} }}", CY, key=SESSION)
    assert by_key == {"session": session}
    by_customer = await graph.read(
        f"query($key: String!) {{ currentSession(customerKey: $key) {{ {FIELDS} }} }}", CY, key=CUSTOMER
    )
    assert by_customer == {"currentSession": session}
    await graph.database.close()


async def test_the_example_of_the_older_page(database_url: str) -> None:
    customer, key = "fffd7e80-1691-41f5-8946-9deeaf0b8640", "10125e23-3ad9-46bc-a4c1-e1e8e1a79d16"
    clock = ManualClock(at("2017-04-21T14:38:59.691"))
    graph = await open_graph(database_url, clock, ids=PageIds(key, MESSAGE))
    await graph.database.command(people(customer))
    await graph.database.command(service.open_for_customer, BO, 1)
    # "At least one message must have been created": one of the last two hours makes it the current one.
    clock.now = at("2017-04-21T16:30:00.000")
    text = {"type": "text", "content": "Hi"}
    await graph.database.command(send_message, BO, GlobalId("ses", 1), text)
    clock.now = at("2017-04-21T18:10:51.475")
    fields = "sessionKey customer { customerKey } needAttention tags topics createdAt updatedAt"

    payload = await graph.do(
        "updateSession",
        {"customerKey": customer, "needAttention": True, "tags": ["mobile"], "topics": ["sleep", "skin+hair"]},
        f"session {{ {fields} }}",
        BO,
    )

    assert payload["session"] == {
        "sessionKey": key,
        "customer": {"customerKey": customer},
        "needAttention": True,
        "tags": ["mobile"],
        "topics": ["sleep", "skin+hair"],
        "createdAt": "2017-04-21T14:38:59.691000Z",
        "updatedAt": "2017-04-21T18:10:51.475000Z",
    }
    read = await graph.read(f"query($key: UUID!) {{ session(sessionKey: $key) {{ {fields} }} }}", CY, key=key)
    assert read == {"session": payload["session"]}
    await graph.database.close()


async def test_a_flag_is_attention_and_pauses_the_bot(graph: Graph, clock: ManualClock) -> None:
    clock.advance(90)
    await graph.do("updateSession", {"id": "ses_1", "needAttention": True}, actor=BO)
    clock.advance(30)
    session = await graph.read(
        """{ session(sessionKey: "00000000-0000-7000-8000-000000000001") {
          id kind state botActive version
          attention { needed reason reasons level since deadline waitingSeconds }
        } }"""
    )
    assert session["session"] == {
        "id": "ses_1",
        "kind": "SESSION",
        "state": "OPEN",
        "botActive": False,
        "version": 2,
        "attention": {
            "needed": True,
            "reason": "FLAGGED",
            "reasons": ["FLAGGED"],
            "level": "HIGH",
            "since": "2026-01-05T09:01:30.000000Z",
            "deadline": None,
            "waitingSeconds": 30,
        },
    }


async def test_an_update_reads_and_writes_and_knows_its_payload(graph: Graph) -> None:
    update = """mutation($input: UpdateSessionInput!) {
      updateSession(input: $input) { session { id tags topics version } errors { code } }
    }"""
    await graph.read(update, BO, input={"id": "ses_1", "tags": ["a", "b"], "topics": ["x"]})
    async with round_trips(graph.database) as seen:
        given = {"id": "ses_1", "tags": ["b", "c"], "topics": ["y"], "needAttention": True}
        updated = await graph.read(update, BO, input=given)
    session = {"id": "ses_1", "tags": ["b", "c"], "topics": ["y"], "version": 3}
    assert updated == {"updateSession": {"session": session, "errors": []}}
    # Both rows, the values that filters read, the lane and its two events are one statement of PostgreSQL.
    asked = [] if graph.database.dialect.name == "sqlite" else ["SELECT", "WITH"]
    assert [each.split()[0] for each in seen] == asked
    found = await graph.read('{ tagged: interactions(filter: {tags: ["c"]}) { nodes { id } } }', BO)
    assert found["tagged"]["nodes"] == [{"id": "ses_1"}]
    assert await graph.read('{ interactions(filter: {tags: ["a"]}) { nodes { id } } }', BO) == {
        "interactions": {"nodes": []}
    }


@pytest.mark.parametrize("held", [("session:read", "session:write"), ("session:read:team", "session:write")])
async def test_a_payload_that_is_known_is_the_one_that_is_read(graph: Graph, held: tuple[str, ...]) -> None:
    fields = """id state version botActive labels createdAt updatedAt latestMessageAt unreadCustomerMessagesCount
      sessionKey needAttention tags topics attention { reason reasons level since deadline }"""
    update = f"""mutation($input: UpdateSessionInput!) {{
      updateSession(input: $input) {{ session {{ __typename {fields} }} errors {{ code }} }}
    }}"""
    key = "00000000-0000-7000-8000-000000000001"
    actor = replace(BO, permissions=frozenset(held))
    graph.clock.advance(0.000012)
    given = {"id": "ses_1", "needAttention": True, "tags": ["é", "b"]}
    graph.statements.clear()
    updated = await graph.read(update, actor, input=given)
    statements = len(graph.statements)
    found = await graph.read(
        f"query($key: UUID!) {{ session(sessionKey: $key) {{ __typename {fields} }} }}", BO, key=key
    )
    assert updated == {"updateSession": {"session": found["session"], "errors": []}}
    assert found["session"]["tags"] == ["é", "b"]
    if graph.database.dialect.name == "postgresql":
        # Who sees a part of them alone is told what a read lets be seen.
        assert statements == (2 if "session:read" in held else 3)


async def test_the_current_session_is_told_by_the_clock(graph: Graph, clock: ManualClock) -> None:
    document = "query($key: String!) { currentSession(customerKey: $key) { id } }"
    clock.advance(7199)
    assert await graph.read(document, CY, key=CUSTOMER) == {"currentSession": {"id": "ses_1"}}
    clock.advance(1)
    assert await graph.read(document, CY, key=CUSTOMER) == {"currentSession": None}
    assert await graph.read(document, CY, key="nobody") == {"currentSession": None}
    await graph.do("updateSession", {"id": "ses_1", "needAttention": True}, actor=BO)
    assert await graph.read(document, CY, key=CUSTOMER) == {"currentSession": {"id": "ses_1"}}


async def test_picking_a_suggestion_counts(graph: Graph) -> None:
    suggested = [{"remoteId": "r", "content": "A"}, {"content": "B"}]
    await graph.do("updateSession", {"id": "ses_1", "suggestedMessages": suggested}, actor=BO)
    gives = (
        "suggestedMessage { id selectedCount } session { suggestedMessages { edges { node { id selectedCount } } } }"
    )
    await graph.do("useSuggestedMessage", {"id": "sug_2"}, actor=BO)
    payload = await graph.do("useSuggestedMessage", {"id": "sug_2"}, gives, BO)
    assert payload["suggestedMessage"] == {"id": "sug_2", "selectedCount": 2}
    assert [edge["node"] for edge in payload["session"]["suggestedMessages"]["edges"]] == [
        {"id": "sug_1", "selectedCount": 0},
        {"id": "sug_2", "selectedCount": 2},
    ]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"id": "ses_1", "tags": ["a", ""]}, "INVALID_INPUT", ["input", "tags", "1"]),
        ({"id": "ses_1", "topics": ["x" * 256]}, "TOO_LONG", ["input", "topics", "0"]),
        (
            {"id": "ses_1", "suggestedMessages": [{"content": " "}]},
            "INVALID_INPUT",
            ["input", "suggestedMessages", "0", "content"],
        ),
        ({"id": "ses_1", "customerKey": CUSTOMER}, "INVALID_INPUT", ["input", "id"]),
        ({"needAttention": True}, "INVALID_INPUT", ["input", "id"]),
        ({"customerKey": "nobody", "tags": []}, "NOT_FOUND", ["input", "customerKey"]),
        ({"id": "cnv_1"}, "INVALID_INPUT", ["input", "id"]),
        ({"id": "ses_9"}, "NOT_FOUND", ["input", "id"]),
        ({"id": "ses_1", "ifVersion": 7, "tags": []}, "VERSION_CONFLICT", ["input", "ifVersion"]),
    ],
)
async def test_a_refused_update_says_what_and_where(
    graph: Graph, given: dict[str, Any], code: str, path: list[str]
) -> None:
    payload = await graph.attempt("updateSession", given, "session { id }", BO)
    assert payload["session"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]


async def test_need_attention_cannot_be_null(graph: Graph) -> None:
    document = "mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session { id } } }"
    answer = await graph.answer(document, BO, input={"id": "ses_1", "needAttention": None})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_INPUT"]


async def test_who_may_not_read_sessions_is_told_so(graph: Graph) -> None:
    for root in ('session(sessionKey: "00000000-0000-7000-8000-000000000001")', 'currentSession(customerKey: "x")'):
        answer = await graph.answer(f"{{ {root} {{ id }} }}", DEE)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    payload = await graph.attempt("updateSession", {"id": "ses_1", "tags": []}, "session { id }", CY)
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]


async def test_what_the_viewer_can_do_follows_the_rules(graph: Graph, clock: ManualClock) -> None:
    document = """{ interaction(id: "ses_1") { viewerCan {
      claim release close reopen snooze reply receive update delete react
    } } }"""
    can = {
        "claim": True,
        "release": False,
        "close": False,
        "reopen": False,
        "snooze": False,
        "reply": True,
        "receive": True,
        "update": True,
        "delete": False,
        "react": False,
    }
    assert await graph.read(document, BO) == {"interaction": {"viewerCan": can}}
    assert await graph.read(document, CY) == {"interaction": {"viewerCan": dict.fromkeys(can, False)}}
    clock.advance(7200)
    assert await graph.read(document, BO) == {"interaction": {"viewerCan": can | {"reply": False}}}
    await graph.database.command(unsubscribe)
    await graph.do("updateSession", {"id": "ses_1", "needAttention": True}, actor=BO)
    assert await graph.read(document, BO) == {"interaction": {"viewerCan": can | {"reply": False}}}
    payload = await graph.attempt("sendMessage", {"id": "ses_1", "content": {"text": {"content": "x"}}}, actor=BO)
    assert [error["code"] for error in payload["errors"]] == ["UNREACHABLE"]


async def test_a_setting_forbids_replies_without_the_flag(database_url: str, clock: ManualClock) -> None:
    graph = await open_graph(
        database_url, clock, Settings().having(SessionSettings(allow_reply_without_attention=False))
    )
    await graph.database.command(people(CUSTOMER))
    await graph.database.command(service.open_for_customer, BO, 1)
    message = {"id": "ses_1", "content": {"text": {"content": "x"}}}
    payload = await graph.attempt("sendMessage", message, actor=BO)
    assert [error["code"] for error in payload["errors"]] == ["INVALID_TRANSITION"]
    await graph.do("updateSession", {"id": "ses_1", "needAttention": True}, actor=BO)
    await graph.do("sendMessage", message, actor=BO)
    await graph.database.close()


def unsubscribe(work: Work) -> None:
    unsubscribe_customer(work, ADA, "cus_1")
