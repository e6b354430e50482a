"""What the tools of a team are sent: in their published shapes, whatever customers write, and as often as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import jsonschema_rs
import orjson
import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.core.errors import InvalidInput
from app.destinations.channels import CHANNELS, Letter, Message, Target
from app.destinations.model import AlertStep, DestinationType
from app.directory.tables import customer
from app.interactions.service.holding import claim
from app.interactions.service.state import acknowledge, close
from app.storage.database import Work
from tests.destinations.receiving import Receiver
from tests.destinations.running import Running, running
from tests.destinations.schemas import PAGERDUTY, SLACK, TEAMS
from tests.interactions.conftest import cnv
from tests.kinds.conftest import BO

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "0123456789abcdef0123456789ABCDEF"
URL = "https://console.example.com"
TAGS = {"<p>", "</p>", "<strong>", "</strong>", "</a>", f'<a href="{URL}/#open=cnv_1">'}
pytestmark = pytest.mark.one_database_each

HOSTILE = (
    "<!channel> <@U024BE7LH> <#C1> <https://evil.example.com|Click>",
    "*bold* _it_ ~no~ `code` @here",
    "[Click](https://evil.example.com) ![x](https://evil.example.com/x.png) **b** <at>Everyone</at>",
    "Ana\r\nBcc: everyone@example.com\r\n\r\nBody",
    "Ana\u2028Bcc: x@example.com\u202e\u0000\u0085\x0b",
    "=?utf-8?q?Ana=0D=0ABcc:_x@example.com?=",
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "&lt;!channel&gt; &amp;",
    "Ünï 😀 " + "x" * 5_000,
    "",
)


def item(step: str = "RAISED", name: str = "Ana", gone: bool = False, policy: str = "Night") -> str:
    """An item of an alert, as the graph gives it."""
    interaction = {
        "id": "cnv_1",
        "kind": "CONVERSATION",
        "state": "OPEN",
        "customer": {"name": name},
        "assignee": {"name": name} if step == "CLAIMED" else None,
        "attention": {
            "level": "HIGH",
            "reason": "CUSTOMER_WAITING",
            "reasons": ["CUSTOMER_WAITING"],
            "since": "2026-03-02T12:00:00.000000Z",
            "acknowledgedBy": {"name": name} if step == "ACKNOWLEDGED" else None,
        },
    }
    told = {
        "cursor": "x",
        "at": "2026-03-02T12:00:00.000000Z",
        "step": step,
        "count": 2,
        "policy": {"name": policy},
        "interactionId": "cnv_1",
        "interaction": None if gone else interaction,
    }
    return json.dumps({"data": {"alertChanged": told}})


def made(type_: DestinationType, text: str, url: str | None = URL) -> Any:
    """The body of a request, or a letter."""
    target = Target("team@example.com" if type_ is DestinationType.EMAIL else "https://x.example.com/", [KEY])
    found = CHANNELS[type_].made(target, Message("dst_1_0_7", AT, text, url))
    return found if isinstance(found, Letter) else orjson.loads(found.content)


SHAPES = {DestinationType.SLACK: SLACK, DestinationType.TEAMS: TEAMS, DestinationType.PAGERDUTY: PAGERDUTY}


@pytest.mark.parametrize("type_", SHAPES)
def test_body_has_the_published_shape_at_every_step_and_whatever_customers_write(type_: DestinationType) -> None:
    texts = [item(step, name, gone) for step in AlertStep for name in HOSTILE for gone in (False, True)]
    for text in (*texts, '{"test":{"destinationId":"dst_1"}}'):
        for url in (URL, None):
            jsonschema_rs.validate(SHAPES[type_], made(type_, text, url))


def test_slack_finds_neither_mentions_nor_links_in_what_customers_write() -> None:
    for name in HOSTILE:
        body = made(DestinationType.SLACK, item("RAISED", name, policy=name))
        texts = [body["text"], *(text for block in body["blocks"] for text in _texts(block))]
        assert not [text for text in texts if "<" in text or ">" in text]
        assert {kind for block in body["blocks"] for kind in _kinds(block)} <= {"plain_text"}
    (button,) = made(DestinationType.SLACK, item())["blocks"][-1]["elements"]
    assert button["url"] == f"{URL}/#open=cnv_1"
    assert "&amp;lt;!channel&amp;gt;" in made(DestinationType.SLACK, item("RAISED", HOSTILE[7]))["text"]


def _texts(block: Any) -> list[str]:
    elements = [block["text"]] if "text" in block else block["elements"]
    return [each["text"]["text"] if isinstance(each["text"], dict) else each["text"] for each in elements]


def _kinds(block: Any) -> list[str]:
    elements = [block["text"]] if "text" in block else block["elements"]
    return [each["text"]["type"] if isinstance(each["text"], dict) else each["type"] for each in elements]


def test_teams_reads_no_markdown_in_what_customers_write() -> None:
    for name in HOSTILE:
        body = made(DestinationType.TEAMS, item("RAISED", name, policy=name))
        (attachment,) = body["attachments"]
        # Mentions need entities beside the card, and Markdown a TextBlock.
        assert "msteams" not in attachment["content"]
        assert {each["type"] for each in attachment["content"]["body"]} == {"RichTextBlock"}


def test_pagerduty_has_one_key_for_all_steps_of_an_interaction() -> None:
    found = [made(DestinationType.PAGERDUTY, item(step)) for step in AlertStep]
    assert [each["event_action"] for each in found] == ["trigger", "trigger", "resolve", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in found} == {"switchboard-cnv_1"}
    assert {each["routing_key"] for each in found} == {KEY}
    assert found[0]["payload"]["severity"] == "error"
    test = made(DestinationType.PAGERDUTY, '{"test":{}}')
    assert (test["event_action"], test["dedup_key"]) == ("resolve", "dst_1_0_7")


def test_mail_has_the_headers_that_it_is_to_have_whatever_customers_write() -> None:
    for step in AlertStep:
        for name in HOSTILE:
            letter: Letter = made(DestinationType.EMAIL, item(step, name, policy=name))
            sent = message_from_bytes(letter.message.as_bytes(), policy=default)
            assert isinstance(sent, EmailMessage)
            assert sorted(sent.keys()) == [
                *("Auto-Submitted", "Content-Type", "Date", "MIME-Version", "Message-ID", "References", "Subject", "To")
            ]
            assert sent["To"] == letter.to == "team@example.com"
            assert not [each for each in sent["Subject"] if not each.isprintable()]
            page = sent.get_body(("html",))
            assert page is not None
            content = page.get_content()
            assert set(_tags(content)) <= {
                "<p>",
                "</p>",
                "<strong>",
                "</strong>",
                "</a>",
                f'<a href="{URL}/#open=cnv_1">',
            }


def _tags(page: str) -> list[str]:
    return [f"<{each.partition('>')[0]}>" for each in page.split("<")[1:]]


@pytest.mark.parametrize(
    ("type_", "address", "secret"),
    [
        ("SLACK", "https://hooks.example.com/x", "a secret"),
        ("PAGERDUTY", "https://events.example.com/", None),
        ("PAGERDUTY", "https://events.example.com/", "short"),
        ("PAGERDUTY", "https://events.example.com/", KEY[:-1] + "\n"),
        ("EMAIL", "not an address", None),
        ("EMAIL", "a@example.com,b@example.com", None),
        ("EMAIL", "a@example.com\r\nBcc: b@example.com", None),
        ("EMAIL", "<a@example.com>", None),
        ("WEBHOOK", "https://hooks.example.com/x", "a secret"),
    ],
)
def test_destination_that_could_not_be_told_is_refused(type_: str, address: str, secret: str | None) -> None:
    with pytest.raises(InvalidInput):
        CHANNELS[DestinationType(type_)].accept(address, secret)


# ---- stand-ins for the tools -----------------------------------------------------------------------------------------


async def _life(app: Running, ref: str, before: int = 0) -> None:
    await app.do("createPolicy", {"name": "Night", "destinationIds": [ref]}, "policy { id }")
    house = app.house
    await house.hear()
    await _told(app, ref, before + 1)
    await house.database.command(acknowledge, BO, cnv(1))
    await _told(app, ref, before + 2)
    await house.database.command(claim, BO, cnv(1))
    await _told(app, ref, before + 3)
    await house.database.command(close, BO, cnv(1))
    await _told(app, ref, before + 4)


async def _told(app: Running, ref: str, count: int) -> None:
    async with asyncio.timeout(30):
        while [each["status"] for each in await app.deliveries(ref, "status")] != ["DELIVERED"] * count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.anyio
@pytest.mark.parametrize("type_", SHAPES)
async def test_tool_is_told_by_a_policy_in_its_shape(app: Running, receiver: Receiver, type_: DestinationType) -> None:
    address = f"{receiver.url}/T0/secret"
    given = {"name": "Tool", "type": type_.value, "address": address}
    if type_ is DestinationType.PAGERDUTY:
        given["secret"] = KEY
    made = await app.do("createDestination", given, "destination { id address type } secret")
    ref = made["destination"]["id"]
    shown = address if type_ is DestinationType.PAGERDUTY else f"http://127.0.0.1:{receiver.port}/…"
    assert made["destination"] == {"id": ref, "address": shown, "type": type_.value}
    assert made["secret"] is None
    await app.do("testDestination", {"id": ref}, "delivery { status }")
    await _life(app, ref, before=1)
    bodies = [orjson.loads(each.body) for each in receiver.requests]
    for body in bodies:
        jsonschema_rs.validate(SHAPES[type_], body)
    assert len(bodies) == 5
    assert {each.target for each in receiver.requests} == {"/hook/T0/secret"}
    if type_ is DestinationType.PAGERDUTY:
        actions = [body["event_action"] for body in bodies]
        assert actions == ["resolve", "trigger", "acknowledge", "resolve", "resolve"]
    else:
        said = [orjson.dumps(body).decode() for body in bodies[1:]]
        for words, text in zip(("needs a human", "Acknowledged by Bo", "Claimed by Bo", "Over"), said, strict=True):
            assert words in text


@pytest.mark.anyio
async def test_tool_keeps_its_secret_when_it_is_changed(app: Running, receiver: Receiver) -> None:
    given = {"name": "Pager", "type": "PAGERDUTY", "address": "http://127.0.0.1:9/", "secret": KEY}
    ref = (await app.do("createDestination", given, "destination { id }"))["destination"]["id"]
    await app.do("updateDestination", {"id": ref, "address": receiver.url}, "destination { address }")
    await app.do("testDestination", {"id": ref})
    other = KEY[::-1]
    await app.do("updateDestination", {"id": ref, "secret": other})
    await app.do("testDestination", {"id": ref})
    assert [orjson.loads(each.body)["routing_key"] for each in receiver.requests] == [KEY, other]
    for mutation, more, code in (
        ("rotateDestinationSecret", {}, "NOT_SUPPORTED"),
        ("updateDestination", {"document": "subscription { interactionChanged { id } }"}, "INVALID_INPUT"),
        ("updateDestination", {"secret": "short"}, "INVALID_INPUT"),
    ):
        payload = await app.attempt(mutation, {"id": ref, **more})
        assert [each["code"] for each in payload["errors"]] == [code], mutation


class Mailbox:
    """An SMTP server that keeps what it was given, and answers as it is told."""

    def __init__(self) -> None:
        self.found: list[Envelope] = []
        self.answers: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.found.append(envelope)
        return "250 OK"


@asynccontextmanager
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    kept = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0)
    try:
        yield kept, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.anyio
async def test_mail_is_told_by_a_policy_in_one_thread(database_url: str) -> None:
    async with mailbox() as (kept, port):
        kept.answers = ["451 Not now"]
        mail: dict[str, Any] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_tls": "none",
            "smtp_sender": "desk@example.com",
        }
        async with running(database_url, public_url=URL, **mail) as app:
            given = {"name": "Team", "type": "EMAIL", "address": "team@example.com"}
            ref = (await app.do("createDestination", given, "destination { id }"))["destination"]["id"]

            def rename(work: Work) -> None:
                work.connection.execute(sa.update(customer).values(name=HOSTILE[3][:200]))

            await app.services.database.command(rename)
            await _life(app, ref)
            tried = await app.deliveries(ref, "attempts httpStatus")
    assert tried[0] == {"attempts": 2, "httpStatus": 250}
    letters = [message_from_bytes(each.original_content or b"", policy=default) for each in kept.found]
    assert [(each.mail_from, each.rcpt_tos) for each in kept.found] == [("desk@example.com", ["team@example.com"])] * 4
    assert {letter["References"] for letter in letters} == {"<cnv_1@switchboard.invalid>"}
    assert {letter["Bcc"] for letter in letters} == {None}
    assert letters[0]["Subject"].strip().startswith("NORMAL: Ana Bcc: everyone@example.com Body (conversation cnv_1)")
    assert f"{URL}/#open=cnv_1" in letters[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.anyio
async def test_mail_without_a_server_in_the_settings_is_refused(app: Running) -> None:
    payload = await app.attempt("createDestination", {"name": "T", "type": "EMAIL", "address": "team@example.com"})
    assert [(each["code"], each["path"]) for each in payload["errors"]] == [("NOT_SUPPORTED", ["input", "type"])]
    assert "SWITCHBOARD_SMTP_HOST" in payload["errors"][0]["message"]
