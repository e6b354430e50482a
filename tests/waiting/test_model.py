"""Random lives of interactions of all kinds against a slow reference: after every step all views agree with it.

`SWITCHBOARD_TEST_LIVES` is how many lives each database gets; a few are part of the suite."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed
from app.core.ids import GlobalId, parse_id
from app.directory.model import Channel, CustomerSystem
from app.directory.service import activate_user, deactivate_user, set_presence
from app.interactions.messages import MessageAuthor
from app.interactions.service.deliveries import delete_message
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read, receive_message
from app.interactions.service.state import clear_attention, close, raise_attention, reopen, snooze
from app.kinds.agent_session.service import update as update_agent_session
from app.kinds.chat_session.service.transfers import cancel_chat_transfer, transfer_chat_session
from app.kinds.session.service import update as update_session
from tests.graph.running import RULES
from tests.kinds.conftest import ADA, BO, KINDS, store_customer
from tests.waiting.conftest import fresh_floor
from tests.waiting.floor import EVE, HELLO, Floor
from tests.waiting.reference import Story

LIVES = int(os.environ.get("SWITCHBOARD_TEST_LIVES", "6"))
STEPS = 25
AHEAD = (60, 1800, 6600, 43_200, 83_400)
"""Seconds that may pass at once: from a minute to 23 hours and 10 minutes."""

READ = """query($id: ID!) { interaction(id: $id) {
  waitingSince unansweredMessagesCount unreadCustomerMessagesCount assignee { id }
  attention { needed reason reasons level } viewerCan { reply replyBlockedBy }
} }"""
QUEUE = """query($after: String!) {
  attentionQueue(first: 100) { totalCount edges { node { id } } }
  attentionSummary(groupBy: KIND) { count }
  events(after: $after, first: 100) { cursor hasMore events { topic interaction { id } levelAfter } }
}"""

kinds = st.sampled_from(KINDS)
users = st.sampled_from((BO, EVE))


class Lives(RuleBasedStateMachine):
    """Four interactions, one of each kind, that live beside each other."""

    floor: Floor
    loop: asyncio.AbstractEventLoop
    born = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).born += 1
        self.gone: set[int] = set()
        self.went_back = False
        self.cursor = self.graph("{ events { cursor } }")["events"]["cursor"]
        self.levels: dict[str, str | None] = {}
        for user in (BO, EVE):
            self.run(set_presence, user, True)
        self.stories: dict[str, Story] = {}
        self.refs: dict[str, GlobalId] = {}
        for kind in KINDS:
            customer = self.run(self._customer, kind)
            target = {**self.floor.targets[kind], "customer_id": customer}
            posted = self.run(receive_message, BO, {"kind": kind, **target}, [HELLO])
            story = Story(kind, self.now, bot=kind in ("session", "agent_session"), asked=kind == "chat_session")
            story.gone = self.gone
            story.hear(posted.message, self.now)
            self.stories[kind] = story
            self.refs[kind] = GlobalId(RULES[kind].prefix, posted.interaction)
            self.levels[str(self.refs[kind])] = None

    def _customer(self, work: Any, kind: str) -> int:
        more: Mapping[str, Any] = {}
        if kind == "conversation":
            more = {"channel": Channel.WHATSAPP, "display_id": f"4917{self.born:09}"}
        key = f"{kind}-of-life-{self.born}"
        system = CustomerSystem(kind.upper())
        return store_customer(work, customer_key=key, system=system, phone_number=f"+4733{self.born:06}", **more)

    @property
    def now(self) -> Any:
        return self.floor.clock.now

    def run(self, f: Any, /, *args: Any, **given: Any) -> Any:
        return self.loop.run_until_complete(self.floor.do(f, *args, **given))

    def graph(self, document: str, **variables: Any) -> Any:
        return self.loop.run_until_complete(
            self.floor.graph.read(document, ADA if variables.get("id") is None else BO, **variables)
        )

    # ---- what customers, users and machines do

    @rule(kind=kinds)
    def hear(self, kind: str) -> None:
        story = self.stories[kind]
        if story.closed and kind in ("agent_session", "chat_session"):
            return
        key = self.loop.run_until_complete(self.floor.hear_in(self.refs[kind]))
        story.hear(key, self.now)

    @rule(kind=kinds, user=users)
    def answer(self, kind: str, user: Actor) -> None:
        story = self.stories[kind]
        if user.user_id in self.gone or (
            kind != "conversation" and story.reply_blocked(user.user_id, self.now) == "CLOSED"
        ):
            return
        sending = self.floor.answer(self.refs[kind], user)
        if story.held_by_other(user.user_id, self.now):
            with pytest.raises(AlreadyClaimed):
                self.loop.run_until_complete(sending)
            return
        story.answer(self.loop.run_until_complete(sending), user.user_id, self.now)

    @rule(kind=kinds)
    def bot_says(self, kind: str) -> None:
        story = self.stories[kind]
        if kind == "conversation" or story.reply_blocked(0, self.now) == "CLOSED":
            return
        sending = self.floor.answer(self.refs[kind], author=MessageAuthor.BOT)
        story.bot_says(self.loop.run_until_complete(sending), self.now)

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        story = self.stories["conversation"]
        sent = [said.key for said in story.messages if said.author == "USER" and said.status != "ERROR"]
        if sent:
            key = data.draw(st.sampled_from(sent))
            self.loop.run_until_complete(self.floor.fail(key))
            story.fail(key)

    @rule(kind=kinds, data=st.data())
    def delete(self, kind: str, data: st.DataObject) -> None:
        story = self.stories[kind]
        if story.messages:
            key = data.draw(st.sampled_from([said.key for said in story.messages]))
            self.run(delete_message, BO, GlobalId("msg", key))
            story.delete(key)

    @rule(kind=kinds)
    def read(self, kind: str) -> None:
        self.run(mark_read, BO, self.refs[kind])
        self.stories[kind].read |= {said.key for said in self.stories[kind].messages}

    @rule(kind=kinds, user=users, minutes=st.sampled_from((None, 1, 45)))
    def take(self, kind: str, user: Actor, minutes: int | None) -> None:
        story = self.stories[kind]
        if user.user_id in self.gone or story.closed or (kind == "session" and not story.is_open(self.now)):
            return
        given = {} if minutes is None else {"lease_seconds": minutes * 60}
        lease = None if minutes is None else self.now + timedelta(minutes=minutes)
        if story.held_by_other(user.user_id, self.now):
            with pytest.raises(AlreadyClaimed):
                self.run(claim, user, self.refs[kind], **given)
            return
        self.run(claim, user, self.refs[kind], **given)
        if story.holder == user.user_id and not (story.lease is not None and story.lease <= self.now):
            story.renew(lease)
        else:
            story.take(user.user_id, lease)

    @rule(kind=kinds)
    def give_back(self, kind: str) -> None:
        story = self.stories[kind]
        if story.holder is not None and not story.lost and not story.closed:
            self.run(release, ADA, self.refs[kind])
            story.release()

    @rule(kind=st.sampled_from(("agent_session", "chat_session", "conversation")))
    def close_or_reopen(self, kind: str) -> None:
        story = self.stories[kind]
        if story.closed:
            self.run(reopen, BO, self.refs[kind])
            story.reopen()
        else:
            self.run(close, BO, self.refs[kind])
            story.close()

    @rule(hours=st.sampled_from((1, 13, 40)))
    def set_aside(self, hours: int) -> None:
        story = self.stories["conversation"]
        if not story.closed:
            until = self.now + timedelta(hours=hours)
            self.run(snooze, BO, self.refs["conversation"], until)
            story.snooze(until, self.now)

    @rule(kind=kinds)
    def raise_or_clear(self, kind: str) -> None:
        story = self.stories[kind]
        if not story.is_open(self.now):
            return
        if story.raised:
            self.run(clear_attention, BO, self.refs[kind])
            story.clear()
        else:
            self.run(raise_attention, BO, self.refs[kind])
            story.raised = True

    @rule(kind=st.sampled_from(("session", "agent_session")))
    def ask_or_not(self, kind: str) -> None:
        story = self.stories[kind]
        if not story.is_open(self.now):
            return
        story.ask(not story.asked)
        if kind == "session":
            self.run(update_session, BO, {"need_attention": story.asked}, ref=str(self.refs[kind]))
        else:
            metadata = {"resolution_status": "escalated"} if story.asked else {}
            self.run(update_agent_session, BO, str(self.refs[kind]), {"metadata": metadata})

    @rule()
    def offer_or_withdraw(self) -> None:
        story, ref = self.stories["chat_session"], self.refs["chat_session"]
        if story.offered_to is not None:
            self.run(cancel_chat_transfer, ADA, ref)
            story.offered_to = None
        elif story.holder == BO.user_id and not story.closed and EVE.user_id not in self.gone:
            self.run(transfer_chat_session, BO, ref, EVE.user_id)
            story.offered_to = EVE.user_id

    @rule()
    def leave_or_return(self) -> None:
        if EVE.user_id in self.gone:
            self.run(activate_user, ADA, "usr_5")
            self.run(set_presence, EVE, True)
            self.gone.clear()
            return
        self.run(deactivate_user, ADA, "usr_5")
        self.gone.add(EVE.user_id)
        for kind, story in self.stories.items():
            was_open = not story.closed and (kind != "session" or story.is_open(self.now))
            if story.holder == EVE.user_id and was_open:
                story.release()
            if story.offered_to == EVE.user_id:
                story.offered_to = None

    # ---- time

    @rule(seconds=st.sampled_from(AHEAD))
    def go_on(self, seconds: int) -> None:
        self.went_back = False
        self.loop.run_until_complete(self.floor.pass_until(self.now + timedelta(seconds=seconds + 5)))
        for story in self.stories.values():
            story.pass_until(self.now)

    @precondition(lambda self: not self.went_back)
    @rule()
    def go_back(self) -> None:
        """Another process has a clock that is behind."""
        self.went_back = True
        self.floor.clock.advance(-3)

    # ---- what everybody sees

    @invariant()
    def views_agree(self) -> None:
        for kind, story in self.stories.items():
            found = self.graph(READ, id=str(self.refs[kind]))["interaction"]
            unanswered = story.unanswered()
            reasons, chief = story.reasons(self.now), story.chief(self.now)
            since = found["waitingSince"]
            assert (since is None) is (not unanswered), kind
            if unanswered:
                assert since[:19] == unanswered[0].arrived.isoformat()[:19], kind
            assert found["unansweredMessagesCount"] == len(unanswered), kind
            assert found["unreadCustomerMessagesCount"] == story.unread(), kind
            assert found["assignee"] == (None if story.holder is None else {"id": f"usr_{story.holder}"}), kind
            attention = found["attention"]
            assert set(attention["reasons"]) == set(reasons), kind
            assert attention["reason"] == chief, kind
            assert attention["level"] == (None if chief is None else reasons[chief]), kind
            block = story.reply_blocked(BO.user_id, self.now)
            assert found["viewerCan"] == {"reply": block is None, "replyBlockedBy": block}, kind
        self._queue_and_events_agree()

    def _queue_and_events_agree(self) -> None:
        expected = {
            str(self.refs[kind]): None if (chief := story.chief(self.now)) is None else story.reasons(self.now)[chief]
            for kind, story in self.stories.items()
        }
        more = True
        while more:
            found = self.graph(QUEUE, after=self.cursor)
            for event in found["events"]["events"]:
                ref = (event["interaction"] or {}).get("id")
                if ref in self.levels and event["topic"].startswith("attention."):
                    self.levels[ref] = event["levelAfter"]
            self.cursor, more = found["events"]["cursor"], found["events"]["hasMore"]
        assert self.levels == expected
        queue = found["attentionQueue"]
        assert found["attentionSummary"]["count"] == queue["totalCount"]
        if queue["totalCount"] <= 100:
            listed = {edge["node"]["id"] for edge in queue["edges"]} & set(expected)
            assert listed == {ref for ref, level in expected.items() if level is not None}

    def teardown(self) -> None:
        """Leave nothing behind that a later life would wait for."""
        for kind, ref in self.refs.items():
            assert parse_id(str(ref)) == ref, kind
        if EVE.user_id in self.gone:
            self.run(activate_user, ADA, "usr_5")


@pytest.fixture
def lives(database_url: str) -> Iterator[type[Lives]]:
    """The machine on a floor of its own."""
    loop = asyncio.new_event_loop()
    opened = fresh_floor(database_url)
    floor = loop.run_until_complete(opened.__aenter__())

    class Here(Lives):
        pass

    Here.floor, Here.loop = floor, loop
    yield Here
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()


def test_lives_of_interactions_are_seen_alike_everywhere(lives: type[Lives]) -> None:
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            # The suite lives the same lives each time; new ones are lived by SWITCHBOARD_TEST_LIVES.
            derandomize=LIVES <= 20,
            phases=(Phase.generate, Phase.shrink) if LIVES > 20 else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
