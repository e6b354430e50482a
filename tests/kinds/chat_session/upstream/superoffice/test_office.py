"""A connection to SuperOffice as the vendor's pages describe it: signing in, moving, reading, writing, webhooks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import pytest
from structlog.testing import capture_logs

from app.connections.keeper import Keeper, KeeperLimits
from app.connections.model import NewConnection
from app.connections.reach import Bucket, SystemReach
from app.connections.repository import ConnectedSystemRepository
from app.connections.service import create_connection
from app.connections.service.reading import note_hint, note_restored
from app.core.errors import DomainError
from app.core.ids import GlobalId
from app.interactions.messages import MessageStatus
from app.interactions.remote import Hook, Refused, Unanswered
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.messages import send_message
from app.interactions.service.state import close
from app.kinds.chat_session.model.session import ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.repository import ChatSessionRepository
from app.registry import CONNECTORS
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.connections.attached import Attached
from tests.connections.conftest import ADA
from tests.kinds.chat_session.upstream.superoffice.office import CREDENTIAL, HOME, SECRETS, Office
from tests.kinds.conftest import BO, store_users

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

CHAT = GlobalId("chs", 1)
HOOK = Hook("https://switchboard.example.com/hooks/con_1/token", "whsec_abc", "Switchboard: Office")


@dataclass
class Side(Attached):
    """Our side of the connection."""

    office: Office
    reach: SystemReach

    async def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.sync()

    async def here(self) -> ChatSession:
        found = await self.database.command(lambda work: work.use(ChatSessionRepository).load(1))
        assert found is not None
        return found

    async def says(self, text: str) -> int:
        content = {"type": "text", "content": text}
        return (await self.database.command(send_message, BO, CHAT, content)).message

    async def texts(self) -> list[str | None]:
        return [each.text for each in await self.messages()]


@pytest.fixture
async def side(database: Database, clock: ManualClock) -> Side:
    await database.command(store_users)
    return await attached(database, clock, CREDENTIAL, HOME)


async def attached(
    database: Database, clock: ManualClock, credential: str, address: str, hook: Hook | None = None
) -> Side:
    new = NewConnection(system="SUPEROFFICE", name="Office", address=address, credential=credential)
    made = await database.command(create_connection, ADA, CONNECTORS, new)
    system = await database.command(lambda work: work.use(ConnectedSystemRepository).get(made.system.id))
    remote = CONNECTORS["SUPEROFFICE"].remote
    assert system is not None
    assert remote is not None

    async def no_sleep(_seconds: float) -> None:
        """Nobody waits: time goes on with each look at it."""

    office = Office(clock)
    bucket = Bucket(count(0.0, 10.0).__next__, no_sleep)
    reach = SystemReach(office, clock, bucket, remote.access(address, credential, clock), {})
    keeper = Keeper(database, clock, system, remote, reach, "tests", KeeperLimits(), hook)
    return Side(database, clock, keeper, made.system.id, office, reach)


def count_of(side: Side, end: str) -> int:
    return sum(each.endswith(end) for each in side.office.requests)


# ---- signing in ------------------------------------------------------------------------------------------------------


async def test_system_user_signs_in_once_for_many_requests(side: Side) -> None:
    for _ in range(3):
        await side.reach.ask("/v1/Webhook")
    assert side.office.requests == [
        "GET online.example.com/api/state/Cust12345",
        "POST online.example.com/Login/api/PartnerSystemUser/Authenticate",
        "GET online.example.com/login/.well-known/jwks",
        *["GET online2.example.com/Cust12345/api/v1/Webhook"] * 3,
    ]


async def test_ticket_that_ended_is_asked_for_again(side: Side) -> None:
    await side.reach.ask("/v1/Webhook")
    side.office.tickets.clear()
    await side.reach.ask("/v1/Webhook")
    assert (count_of(side, "Authenticate"), count_of(side, "Cust12345/api/v1/Webhook")) == (2, 3)


async def test_tenant_that_moved_is_found_again(side: Side) -> None:
    await side.reach.ask("/v1/Webhook")
    side.office.number = 3
    await side.reach.ask("/v1/Webhook")
    assert (count_of(side, "state/Cust12345"), count_of(side, "Authenticate")) == (2, 1)
    assert side.office.requests[-1].startswith("GET online3.")


async def test_tenant_that_does_not_run_is_left_alone(side: Side) -> None:
    side.office.state = "OfflineMaintenance"
    with pytest.raises(Unanswered) as silent:
        await side.reach.tell("POST", "/v1/ChatSession/1/Reset")
    assert (silent.value.arrived, silent.value.wait, len(side.office.requests)) == (False, 60.0, 1)


@pytest.mark.parametrize("wrong", ["refused", "strange"])
async def test_system_user_that_is_not_taken_is_said_without_its_secrets(side: Side, wrong: str) -> None:
    side.office.signs_in, side.office.strange = wrong != "refused", wrong == "strange"
    with pytest.raises(Refused) as refused:
        await side.reach.ask("/v1/Webhook")
    assert refused.value.unauthorized is (wrong == "refused")
    with capture_logs() as logs:
        await side.work()
    assert (await side.stands())[1] == ("TOKEN_REFUSED" if wrong == "refused" else "SYSTEM_REFUSES")
    said = f"{refused.value.reason} {logs}"
    assert not any(secret in said for secret in SECRETS)


async def test_user_enters_by_a_token_of_their_own(side: Side) -> None:
    own = side.reach.acting_as("bo")
    assert own is not None
    for _ in range(2):
        await own.ask("/v1/Webhook")
    side.clock.advance(3_600)
    await own.ask("/v1/Webhook")
    assert (side.office.actors, count_of(side, "oauth/tokens"), count_of(side, "Authenticate")) == (["bo"] * 3, 2, 0)
    assert side.reach.acting_as("ada") is None


@pytest.mark.parametrize(
    ("credential", "path"),
    [
        ("", ("credential",)),
        ("{", ("credential",)),
        ("{}", ("credential",)),
        ('{"token": "a", "basic": "b:c"}', ("credential",)),
        ('{"token": "a", "more": 1}', ("credential",)),
        ('{"basic": "no colon"}', ("credential", "basic")),
        ('{"token": "a", "users": {"bo": 1}}', ("credential", "users")),
        ('{"systemUser": {"systemToken": "a"}}', ("credential", "systemUser")),
        (CREDENTIAL.replace("PRIVATE KEY", "PUBLIC KEY"), ("credential", "systemUser")),
        (CREDENTIAL.replace("clientId", "clientid"), ("credential", "systemUser")),
        (CREDENTIAL.replace("Cust12345", "../login"), ("credential", "systemUser")),
    ],
)
async def test_credential_that_cannot_be_used_is_refused_and_not_repeated(
    database: Database, credential: str, path: tuple[str, ...]
) -> None:
    new = NewConnection(system="SUPEROFFICE", name="Office", address=HOME, credential=credential)
    with pytest.raises(DomainError) as refused:
        await database.command(create_connection, ADA, CONNECTORS, new)
    assert tuple(refused.value.path) == path
    assert not any(secret in refused.value.message for secret in SECRETS)


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        ("plain", "Bearer plain"),
        ('{"token": "plain"}', "Bearer plain"),
        ('{"basic": "office:pa:ss"}', "Basic b2ZmaWNlOnBhOnNz"),
    ],
)
async def test_site_of_ones_own_is_entered_by_a_fixed_header(clock: ManualClock, credential: str, header: str) -> None:
    remote = CONNECTORS["SUPEROFFICE"].remote
    assert remote is not None

    async def unused(_method: str, _url: str, _headers: Mapping[str, str], _content: bytes) -> None:
        raise AssertionError("Nothing has to be asked.")

    access = remote.access("https://office.example.com/api", credential, clock)
    assert await access.entry(unused, None) == ("https://office.example.com/api", {"authorization": header})  # type: ignore[arg-type]


# ---- reading and writing ---------------------------------------------------------------------------------------------


async def test_chat_of_the_pages_is_read(side: Side) -> None:
    side.office.chat(446, User={"AssociateId": 9, "Name": "bo", "FullName": "Bo B"}, Rating=0)
    side.office.says(446, "Hello?")
    await side.work()
    here = await side.here()
    assert (here.status, here.assignee_id, here.customer_name, here.customer_host) == (
        S.CUSTOMER_LAST,
        BO.user_id,
        "Ana",
        "Emard Group",
    )
    assert (here.when_started, here.rating, here.customer_alias) == (None, None, None)
    assert await side.texts() == ["Hello?"]


@pytest.mark.parametrize("fault", [500, "after", 503])
async def test_message_with_an_unclear_answer_is_looked_for(side: Side, fault: int | str) -> None:
    side.office.chat(446)
    side.office.says(446, "Hello?")
    await side.work()
    number = await side.says("Yes?")
    side.office.faults = [fault]
    await side.work()
    assert await side.queue() == [("MESSAGE", "LOOKING")]
    for _ in range(3):
        await side.later(61)
    # With the answer cut off it was there and is adopted, though it has another author; otherwise it is sent again.
    assert ([each["Message"] for each in side.office.messages[446]], await side.queue()) == (["Hello?", "Yes?"], [])
    own = await side.database.command(lambda work: work.use(MessageRepository).get(number))
    assert own is not None
    assert (own.status, own.message_key, await side.texts()) == (MessageStatus.SENT, "816", ["Hello?", "Yes?"])


@pytest.mark.parametrize("fault", [429, "before"])
async def test_message_that_was_surely_not_taken_is_sent_later(side: Side, fault: int | str) -> None:
    side.office.chat(446)
    await side.work()
    await side.says("Yes?")
    side.office.faults = [fault]
    await side.work()
    assert await side.queue() == [("MESSAGE", "WAITING")]
    await side.later(31)
    assert ([each["Message"] for each in side.office.messages[446]], await side.queue()) == (["Yes?"], [])


async def test_status_is_set_on_a_condition(side: Side) -> None:
    side.office.chat(446)
    side.office.says(446, "Hello?")
    await side.work()
    side.office.says(446, "Anybody?")
    side.office.chats[446]["Status"] = "Finished"
    await side.database.command(close, BO, CHAT)
    await side.work()
    assert (side.office.chats[446]["Status"], await side.queue()) == ("Finished", [("STATUS", "REFUSED")])
    await side.later(61)
    assert (await side.here()).status is S.FINISHED


async def test_ticket_that_ends_amid_writes_loses_none(side: Side) -> None:
    side.office.chat(446)
    await side.work()
    side.office.tickets.clear()
    side.office.tokens.clear()
    await side.says("Yes?")
    await side.database.command(close, BO, CHAT)
    await side.work()
    assert (side.office.chats[446]["Status"], await side.queue()) == ("Closed", [])


async def test_message_that_got_the_number_of_a_lost_one_is_taken_in(side: Side) -> None:
    side.office.chat(446)
    before = [f"Before {number}" for number in range(8)]
    for text in before:
        side.office.says(446, text)
    await side.work()
    side.clock.advance(600)
    del side.office.messages[446][1:]
    assert side.office.says(446, "After") == 816
    await side.database.command(note_restored, side.connection)
    # What a webhook says meanwhile does not make a usual read of it.
    await side.database.command(note_hint, side.connection, "446")
    await side.later(1)
    assert await side.texts() == [*before, "After"]


# ---- webhooks --------------------------------------------------------------------------------------------------------


async def test_webhook_is_registered_and_put_right(database: Database, clock: ManualClock) -> None:
    await database.command(store_users)
    side = await attached(database, clock, CREDENTIAL, HOME, HOOK)
    await side.work()
    (hook,) = side.office.hooks.values()
    assert hook == {
        "WebhookId": 1,
        "Name": "Switchboard: Office",
        "TargetUrl": HOOK.url,
        "Secret": HOOK.secret,
        "Events": ["chatsession.created", "chatsession.changed", "chatsession.message"],
        "State": "Active",
        "Type": "webhook",
    }
    remote = CONNECTORS["SUPEROFFICE"].remote
    assert remote is not None
    assert await remote.tend(side.reach, HOOK, first=False) is False
    before = len(side.office.requests)
    hook["State"] = "TooManyErrors"
    assert await remote.tend(side.reach, HOOK, first=False) is True
    assert (hook["State"], len(side.office.requests) - before) == ("Active", 2)
    other = HOOK._replace(secret="whsec_new")
    assert await remote.tend(side.reach, other, first=True) is False
    assert (hook["Secret"], len(side.office.hooks)) == ("whsec_new", 1)


async def test_webhook_that_is_refused_leaves_the_polls(database: Database, clock: ManualClock) -> None:
    await database.command(store_users)
    side = await attached(database, clock, CREDENTIAL, HOME, HOOK)
    side.office.chat(446)
    side.office.allows_hooks = False
    with capture_logs() as logs:
        await side.work()
        await side.later(61)
    assert ((await side.stands())[1], (await side.here()).status) == ("HOOK_REFUSED", S.IN_QUEUE)
    assert [each["event"] for each in logs] == ["a webhook cannot be kept"]
    assert not any(secret in json.dumps(logs, default=str) for secret in (*SECRETS, HOOK.secret, HOOK.url))
