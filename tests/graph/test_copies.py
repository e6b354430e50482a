"""Whatever happens: what was fetched once, changed by the events after its cursor, is what a fresh fetch gives."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from app.connections.service.reading import note_hint
from app.connections.service.sending import entry_done, entry_looked, entry_refused
from app.connections.tables import outbox
from app.core.actor import Actor
from app.core.events import Event, declared_events
from app.core.ids import require_id
from app.core.issuers import Issuer
from app.core.sessions import Credential, OpenSession, Transport
from app.directory.service import note_sessions, sign_in, unlink_identity
from app.interactions.remote import Looked
from app.interactions.service.deadlines import fire_due, recompute
from app.interactions.service.watching import watch
from app.interactions.watched import ATTENTION
from app.kinds.agent_session.service import hide_event
from app.kinds.agent_session.settings import AgentSessionSettings
from app.openid import Person
from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.database import Work
from tests.connections.conftest import connect, hello
from tests.event_log import told_in
from tests.graph.commands import (
    CONNECTIONS,
    DIRECTORY,
    OF_KIND,
    ON_INTERACTION,
    ON_MESSAGE,
    ON_NOTE,
    ONES_OWN,
    RECEIVING,
    TEAMS,
    received,
)
from tests.graph.copies import Copies
from tests.graph.exchanges import text
from tests.graph.filled import Filled, fill
from tests.graph.listening import ears
from tests.graph.reached import life_of_a_destination
from tests.graph.running import ADMIN, Graph, open_graph, running_graph

pytestmark = pytest.mark.anyio

HOUR = 3_600
NO_SECRET = "whsec_" + "A" * 32
"""What no connection has."""


@dataclass(frozen=True)
class World:
    """A filled graph, with a client that listens and hears of nothing else."""

    filled: Filled
    copies: Copies
    url: str

    @property
    def graph(self) -> Graph:
        return self.filled.graph

    async def do(self, mutation: str, given: Mapping[str, Any], gives: str = "", actor: Actor = ADMIN) -> Any:
        """Do what must not be refused; the id of what it gives."""
        payload = await self.graph.do(mutation, given, gives and f"{gives} {{ id }}", actor)
        await self.copies.agree((mutation, given))
        return payload[gives]["id"] if gives else None

    async def grow_older(self, seconds: float) -> None:
        self.graph.clock.advance(seconds)
        await self.graph.database.command(fire_due, 1_000)
        await self.copies.agree(f"{seconds} seconds")


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with running_graph(database_url) as graph:
        filled = await fill(graph)
        async with ears(graph, database_url) as heard:
            copies = Copies(graph)
            await copies.begin(heard)
            yield World(filled, copies, database_url)
            await copies.end()


async def test_a_copy_stays_what_a_fresh_fetch_gives(world: World) -> None:
    await hand_a_chat_over(world)
    await miss_a_chat(world)
    await hide_a_message(world)
    await look_on(world)
    await let_a_reply_window_close(world)
    await let_a_raised_session_age(world)
    await change_the_rules(world)
    await change_the_directory(world)
    await deliver(world)
    await write_elsewhere(world)
    for command in life_of_a_destination():
        await world.graph.database.command(command)
        await world.copies.agree("a command on a destination")
    for mutation, given in samples(world.filled):
        if not (await world.graph.attempt(mutation, given))["errors"]:
            await world.copies.agree((mutation, given))
    for seconds in (60, HOUR, 2 * HOUR, 24 * HOUR):
        await world.grow_older(seconds)
    # An event without a case above: add one.
    assert set(product_events()) - await told(world.graph) == set()


def samples(filled: Filled) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mutation, on interactions of every kind; some are refused where they are."""
    for ref in (*filled.sessions[1:3], *filled.conversations[:2], *filled.agent_sessions[:2], *filled.chats[:2]):
        yield "receiveMessage", {"target": {"interactionId": ref}, "contents": [text("Hello?")]}
        for mutation, given in ON_INTERACTION.items():
            yield mutation, {"id": ref, **given}
        yield "receiveMessage", {"target": {"interactionId": ref}, "contents": [text("Long ago")], "imported": True}
        yield "closeInteraction", {"id": ref}
        yield "receiveMessage", {"target": {"interactionId": ref}, "contents": [text("Hello again")]}
    for mutation, given in ON_MESSAGE.items():
        for number in (11, 12, 13):
            yield mutation, {"id": f"msg_{number}", **given}
    yield from ((mutation, {"id": "not_2", **given}) for mutation, given in ON_NOTE.items())
    yield from (("receiveMessage", received(kind)) for kind in RECEIVING)
    for given in OF_KIND.values():
        yield from given.items()
    yield from ONES_OWN.items()
    yield from TEAMS.items()
    yield from CONNECTIONS.items()
    yield from ((mutation, given) for mutation, (_, given) in DIRECTORY.items())


async def hand_a_chat_over(world: World) -> None:
    bo = world.filled.people.actors["bo"]
    chat = await world.do("requestChatSession", {"topicId": 1, "customerName": "Ida"}, "chatSession")
    offer = {"id": chat, "userId": f"usr_{bo.user_id}"}
    await world.do("pickUpChatSession", {"id": chat})
    await world.do("transferChatSession", offer)
    await world.do("cancelChatTransfer", {"id": chat})
    await world.do("transferChatSession", offer)
    await world.do("rejectChatTransfer", {"id": chat}, actor=bo)
    await world.do("transferChatSession", offer)
    await world.do("acceptChatTransfer", {"id": chat}, actor=bo)
    await world.do("resetChatSession", {"id": chat}, actor=bo)


async def miss_a_chat(world: World) -> None:
    dee = world.filled.people.actors["dee"]
    await world.do("setPresence", {"present": False}, "user", actor=dee)
    for more in ({}, {"status": "REQUEST_POSTED"}):
        chat = await world.do("requestChatSession", {"topicId": 42}, "chatSession")
        await world.do("resetChatSession", {"id": chat})
        if more:
            await world.do("updateChatSession", {"id": chat, **more})
    await world.do("setPresence", {"present": True}, "user", actor=dee)


async def look_on(world: World) -> None:
    conversation = ("conversation", require_id(world.filled.conversations[0], "cnv").number)
    await world.graph.database.command(watch, "process", {(conversation, 2): 1, ((None, ATTENTION), 2): 1}, [])
    await world.copies.agree("a look")


async def let_a_reply_window_close(world: World) -> None:
    conversation = world.filled.conversations[0]
    await world.do("receiveMessage", {"target": {"interactionId": conversation}, "contents": [text("Are you there?")]})
    await world.grow_older(23 * HOUR)
    await world.grow_older(HOUR)
    await world.do("restartConversation", {"id": conversation}, actor=world.filled.people.actors["bo"])


async def let_a_raised_session_age(world: World) -> None:
    session = world.filled.sessions[0]
    await world.do("receiveMessage", {"target": {"interactionId": session}, "contents": [text("Is anybody there?")]})
    await world.do("raiseAttention", {"id": session})
    await world.grow_older(2 * HOUR + 60)


async def change_the_rules(world: World) -> None:
    given = {"agentKey": "agt_other", "metadata": {"resolution_status": "later"}, "ttiMinutes": 90}
    await world.do("createAgentSession", given, "agentSession")
    stricter = Settings().having(AgentSessionSettings(escalation={"resolution_status": ("later",)}))
    other = await open_graph(world.url, world.graph.clock, stricter)
    try:
        await other.database.command(recompute, 0, 1_000)
    finally:
        await other.database.close()
    await world.copies.agree("other settings")


async def deliver(world: World) -> None:
    database, clock = world.graph.database, world.graph.clock
    source = await connect(database, clock, "Source")
    for minute, name in enumerate(("Ana", "Bea")):
        heard = {**hello(f"m-{minute}"), "customer": {"key": name, "name": name}, "labels": {"add": ["vip"]}}
        await source.deliver(heard, f"evt-{minute}")
        await world.copies.agree(f"a delivery of {name}")
    clock.advance(1)
    await source.offer("{}", secret=NO_SECRET)
    await source.deliver("no JSON", "evt-9")
    await world.copies.agree("a delivery that is parked")


async def write_elsewhere(world: World) -> None:
    """What becomes of commands on an interaction of another system, in its outbox."""
    run, ref = world.graph.database.command, {"id": world.filled.conversations[1]}
    await run(_forget_entries)
    for command, outcome in (("close", "done"), ("reopen", "refused"), ("reopen", "uncertain")):
        await world.graph.attempt(f"{command}Interaction", ref)
        number = await run(_in_flight)
        if outcome == "done":
            await run(entry_done, number, 1, None)
        elif outcome == "refused":
            await run(entry_refused, number, 1, "No.")
        else:
            remote = CONNECTORS["VOICEBOT"].remote
            assert remote is not None
            await run(entry_looked, remote, number, 1, Looked((), whole=False))
        await world.copies.agree(f"a write that is {outcome}")
    first, second = await run(_troubled)
    await world.graph.do("dropOutboxEntry", {"id": f"obx_{first}"})
    await world.copies.agree("an entry that is dropped")
    await world.graph.do("retryOutboxEntry", {"id": f"obx_{second}"})
    await world.copies.agree("an entry that is tried again")
    await run(note_hint, 1, "told")
    await world.copies.agree("something that has to be read")
    await world.graph.do("retryReads", {"id": "con_1"})
    await world.copies.agree("reads that are tried again")


def _forget_entries(work: Work) -> None:
    work.connection.execute(sa.delete(outbox))


def _in_flight(work: Work) -> int:
    """The newest entry, as if it were being sent."""
    number = int(work.connection.execute(sa.select(sa.func.max(outbox.c.id))).scalar_one())
    sent = sa.update(outbox).where(outbox.c.id == number).values(state="SENDING", attempts=1)
    work.connection.execute(sent)
    return number


def _troubled(work: Work) -> Sequence[int]:
    return work.connection.execute(sa.select(outbox.c.id).order_by(outbox.c.id)).scalars().all()


async def hide_a_message(world: World) -> None:
    asked = {"target": {"interactionId": world.filled.agent_sessions[0]}, "contents": [text("A secret")]}
    payload = await world.graph.do("receiveMessage", asked, "message { id }")
    message = require_id(payload["message"]["id"], "msg")
    for hidden in (True, False):
        await world.graph.database.command(hide_event, ADMIN, message, hidden=hidden)
        await world.copies.agree(f"hidden: {hidden}")


async def change_the_directory(world: World) -> None:
    topic = await world.do("createChatTopic", {"name": "Short-lived"}, "chatTopic")
    await world.do("deleteChatTopic", {"id": topic})
    customer, profile = world.filled.people.customers["zoe_session"], world.filled.people.profiles["max"]
    await world.do("linkCustomer", {"id": customer, "profileId": profile})
    await world.do("unblockProfile", {"id": profile})
    await world.do("blockProfile", {"id": profile})
    await world.do("unlinkCustomer", {"id": customer})
    issuer = Issuer(issuer="https://login.example.com", audiences=("switchboard",), create_users=True)
    person = Person(issuer=issuer, subject="pia", login="pia", ends=world.graph.clock())
    await world.graph.database.command(sign_in, person)
    await world.graph.database.command(unlink_identity, "pia", issuer.issuer, "pia")
    await world.copies.agree("a person who signed in for the first time")
    session = OpenSession(11, Transport.WEB_SOCKET, Credential.API_KEY, 2, None, None, world.graph.clock())
    await world.graph.database.command(note_sessions, "a process", {(session, 2): 1}, [])
    await world.do("endSessions", {"userId": "usr_2", "sessionIds": ["ops_11"]})


def product_events() -> Iterator[type[Event]]:
    """Every event that the product can tell of."""
    return (each for each in declared_events() if each.__module__.startswith("app."))


async def told(graph: Graph) -> set[type[Event]]:
    """The events in the log."""
    return {each.event.type for each in await graph.database.command(told_in)}
