"""What can happen to four interactions, in any order: customers, users, machines, time."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed
from app.core.ids import GlobalId
from app.directory.model import Channel
from app.directory.service import activate_user, deactivate_user, set_presence, update_user
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.service.deliveries import delete_message, report_message_status
from app.interactions.service.erasing import erase_customer, erase_part
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read, receive_message
from app.interactions.service.state import clear_attention, close, raise_attention, reopen, resume_bot, snooze
from app.kinds.agent_session.service import update as update_agent_session
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.queue import reset_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from app.kinds.chat_session.service.topics import update_chat_topic, update_chat_topic_member
from app.kinds.chat_session.service.transfers import (
    accept_chat_transfer,
    cancel_chat_transfer,
    reject_chat_transfer,
    transfer_chat_session,
)
from app.kinds.conversation.service import restart_conversation
from app.kinds.session.service import update as update_session
from app.scheduler.scheduler import Scheduler
from app.storage.work import Work
from tests.graph.running import RULES
from tests.kinds.conftest import ADA, BO, CY, KINDS, store_customer
from tests.waiting.contracts import KEYS, path_of, switched, written
from tests.waiting.floor import EVE, HELLO
from tests.waiting.story import Story
from tests.waiting.views import Views

AHEAD = (60, 1800, 6600, 43_200, 83_400)
"""Seconds that may pass at once: from a minute to 23 hours and 10 minutes."""

kinds = st.sampled_from(KINDS)
users = st.sampled_from(("bo", "eve"))
USERS = {"bo": BO, "eve": EVE}


class Lives(Views):
    """Four interactions, one of each kind, that live beside each other. They are erased when their lives are over."""

    born = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).born += 1
        self.went_back = False
        self.cursor = self.graph("{ events { cursor } }", ADA)["events"]["cursor"]
        self.levels, self.stories, self.refs, self.keys, self.customers = {}, {}, {}, {}, []
        self.present = {BO.user_id, EVE.user_id}
        for user in (BO, EVE):
            self.run(set_presence, user, True)
        self.welcome = False
        self._restart_process()
        gone: set[int] = set()
        powerless: set[int] = set()
        may_respond = {BO.user_id, EVE.user_id}
        for kind in KINDS:
            customer = self.run(self._customer, kind)
            self.customers.append(customer)
            target = {**self.floor.targets[kind], "customer_id": customer}
            posted = self.run(receive_message, BO, {"kind": kind, **target}, [HELLO])
            story = Story(kind, self.now, bot=kind in ("session", "agent_session"), asked=kind == "chat_session")
            story.gone, story.powerless, story.may_respond = gone, powerless, may_respond
            story.hear(posted.message, self.now)
            self.stories[kind] = story
            self.refs[kind] = GlobalId(RULES[kind].prefix, posted.interaction)
            self.levels[str(self.refs[kind])] = None
            self.keys[kind] = self.graph(KEYS, id=str(self.refs[kind]))["interaction"]

    def _customer(self, work: Work, kind: str) -> int:
        more: Any = {}
        if kind == "conversation":
            more = {"channel": Channel.WHATSAPP, "display_id": f"4917{self.born:09}"}
        key = f"{kind}-of-life-{self.born}"
        system = kind.upper()
        return store_customer(work, customer_key=key, system=system, phone_number=f"+4733{self.born:06}", **more)

    def teardown(self) -> None:
        """Leave nothing behind that a later life would see."""
        if EVE.user_id in self.stories["session"].gone | self.stories["session"].powerless:
            self.leave_or_return("deactivated")
        if EVE.user_id not in self.stories["session"].may_respond:
            self.lose_or_get_topic()
        if self.welcome:
            self.welcome_or_not()
        for customer in self.customers:
            self.run(erase_customer, ADA, f"cus_{customer}")
        while self.run(erase_part, 1000).more:
            pass

    def _works(self, user: Actor) -> bool:
        story = self.stories["session"]
        return user.user_id not in story.gone | story.powerless

    # ---- what customers, users and machines say

    @rule(kind=kinds, over_rest=st.booleans())
    def hear(self, kind: str, over_rest: bool) -> None:
        story = self.stories[kind]
        if story.form == "RequestPosted" or (
            story.closed and (kind == "agent_session" or (kind == "chat_session" and story.ended != "Finished"))
        ):
            return
        if over_rest and kind != "conversation" and (kind != "session" or story.is_open(self.now)):
            key = self._write(kind, by_customer=True)
        else:
            key = self.wait(self.floor.hear_in(self.refs[kind]))
        story.hear(key, self.now)

    @rule(kind=kinds, who=users, over_rest=st.booleans())
    def answer(self, kind: str, who: str, over_rest: bool) -> None:
        user = USERS[who]
        story = self.stories[kind]
        if not self._works(user):
            return
        if kind != "conversation" and story.reply_blocked(user.user_id, self.now) == "CLOSED":
            return
        if over_rest and kind != "agent_session":
            # The contracts know no claims: Bo writes into what anybody holds.
            story.answer(self._write(kind, by_customer=False), BO.user_id, self.now)
        elif story.held_by_other(user.user_id, self.now):
            with pytest.raises(AlreadyClaimed):
                self.wait(self.floor.answer(self.refs[kind], user))
        else:
            story.answer(self.wait(self.floor.answer(self.refs[kind], user)), user.user_id, self.now)
        story.ended_by_user(self.now)

    def _write(self, kind: str, *, by_customer: bool) -> int:
        below, body = written(kind, by_customer=by_customer)
        self.wait(self.contracts.post(path_of(kind, self.keys[kind]) + below, body))
        author = MessageAuthor.CUSTOMER if by_customer else MessageAuthor.USER
        found: int = self.wait(self.floor.latest(self.refs[kind], author))
        return found

    @rule(kind=kinds)
    def bot_says(self, kind: str) -> None:
        story = self.stories[kind]
        if kind == "conversation" or story.reply_blocked(0, self.now) == "CLOSED":
            return
        sending = self.floor.answer(self.refs[kind], author=MessageAuthor.BOT)
        story.bot_says(self.wait(sending), self.now)

    @rule(who=users)
    def restart(self, who: str) -> None:
        user = USERS[who]
        story, until = self.stories["conversation"], self.stories["conversation"].reply_until()
        if not self._works(user) or (until is not None and until > self.now):
            return
        if story.held_by_other(user.user_id, self.now):
            with pytest.raises(AlreadyClaimed):
                self.run(restart_conversation, user, str(self.refs["conversation"]))
            return
        posted = self.run(restart_conversation, user, str(self.refs["conversation"]))
        story.restart(posted.message, user.user_id, self.now)

    @rule(data=st.data())
    def fail_or_arrive(self, data: st.DataObject) -> None:
        story = self.stories["conversation"]
        sent = [said for said in story.messages if said.author == "USER" and said.status != "DELIVERED"]
        if not sent:
            return
        said = data.draw(st.sampled_from(sent))
        if said.stands:
            self.wait(self.floor.fail(said.key))
            story.fail(said.key)
        else:
            self.run(report_message_status, BO, GlobalId("msg", said.key), MessageStatus.DELIVERED)
            story.arrive(said.key)

    @rule(kind=kinds, data=st.data())
    def delete(self, kind: str, data: st.DataObject) -> None:
        story = self.stories[kind]
        if story.messages:
            key = data.draw(st.sampled_from([said.key for said in story.messages]))
            self.run(delete_message, BO, GlobalId("msg", key))
            story.delete(key, self.now)
            story.ended_by_user(self.now)

    @rule(kind=kinds)
    def read(self, kind: str) -> None:
        self.run(mark_read, BO, self.refs[kind])
        self.stories[kind].read |= {said.key for said in self.stories[kind].messages}

    # ---- who has it

    @rule(kind=kinds, who=users, minutes=st.sampled_from((None, 1, 45)))
    def take(self, kind: str, who: str, minutes: int | None) -> None:
        user = USERS[who]
        story, number = self.stories[kind], user.user_id
        if not self._works(user) or (kind == "chat_session" and number not in story.may_respond):
            return
        if story.closed or (kind == "session" and not story.is_open(self.now)):
            return
        given = {} if minutes is None else {"lease_seconds": minutes * 60}
        lease = None if minutes is None else self.now + timedelta(minutes=minutes)
        if story.held_by_other(number, self.now):
            with pytest.raises(AlreadyClaimed):
                self.run(claim, user, self.refs[kind], **given)
            return
        self.run(claim, user, self.refs[kind], **given)
        until = story.leased_until()
        if story.holder == number and not (until is not None and until <= self.now):
            story.renew(lease)
            return
        if story.asked or story.form or not story.begun:
            story.picked_up(welcomed=self.welcome)
        story.take(number, lease)

    @rule(kind=kinds)
    def give_back(self, kind: str) -> None:
        story = self.stories[kind]
        if story.holder is not None and story.holder not in story.gone and not story.closed:
            self.run(release, ADA, self.refs[kind])
            story.release(self.now)
            story.ended_by_user(self.now)

    @rule(kind=st.sampled_from(("session", "agent_session", "chat_session")))
    def hand_to_bot(self, kind: str) -> None:
        story = self.stories[kind]
        if story.is_open(self.now) and not (story.bot and story.holder is None):
            self.run(resume_bot, ADA, self.refs[kind])
            story.resume()
            story.ended_by_user(self.now)

    @rule()
    def offer_or_withdraw(self) -> None:
        story, ref = self.stories["chat_session"], self.refs["chat_session"]
        able = story.may_work(EVE.user_id) and EVE.user_id in self.present
        if story.offered_to is not None:
            self.run(cancel_chat_transfer, ADA, ref)
            story.offered_to = None
        elif story.holder == BO.user_id and story.chat_status() in ("CustomerLast", "UserLast") and able:
            self.run(transfer_chat_session, BO, ref, EVE.user_id)
            story.offered_to = EVE.user_id

    @rule(accepts=st.booleans())
    def take_offer_or_not(self, accepts: bool) -> None:
        story, ref = self.stories["chat_session"], self.refs["chat_session"]
        if story.offered_to is None:
            return
        if accepts:
            self.run(accept_chat_transfer, EVE, ref)
            story.accept(EVE.user_id)
        else:
            self.run(reject_chat_transfer, EVE, ref)
            story.offered_to = None

    @rule(how=st.sampled_from(("deactivated", "write taken")))
    def leave_or_return(self, how: str) -> None:
        story = self.stories["session"]
        if not self._works(EVE):
            if EVE.user_id in story.gone:
                self.run(activate_user, ADA, "usr_5")
                self.run(set_presence, EVE, True)
                self.present.add(EVE.user_id)
            else:
                self.run(update_user, ADA, "usr_5", {"permissions": sorted(EVE.permissions)})
            story.gone.clear()
            story.powerless.clear()
            self._came(EVE.user_id)
            return
        if how == "deactivated":
            self.run(deactivate_user, ADA, "usr_5")
            story.gone.add(EVE.user_id)
            self.present.discard(EVE.user_id)
        else:
            self.run(update_user, ADA, "usr_5", {"permissions": sorted(CY.permissions)})
            story.powerless.add(EVE.user_id)
        for each in self.stories.values():
            self._let_go(each)

    @rule()
    def lose_or_get_topic(self) -> None:
        story = self.stories["chat_session"]
        may = EVE.user_id in story.may_respond
        self.run(self._set_right, not may)
        if may:
            story.may_respond.discard(EVE.user_id)
            self._let_go(story)
        else:
            story.may_respond.add(EVE.user_id)
            if self._works(EVE):
                self._came(EVE.user_id)

    def _set_right(self, work: Work, right: bool) -> None:
        members = work.use(ChatTopicRepository).members(self.floor.targets["chat_session"]["chat_topic_id"])
        member = next(each.id for each in members if each.user_id == EVE.user_id)
        update_chat_topic_member(work, ADA, GlobalId("tpm", member), {"can_respond": right})

    def _let_go(self, story: Story) -> None:
        """Eve can not work on it any more."""
        was_open = not story.closed and (story.kind != "session" or story.is_open(self.now))
        if story.holder == EVE.user_id and was_open:
            story.release(self.now)
            story.ended_by_user(self.now)
        if story.offered_to == EVE.user_id:
            story.offered_to = None

    @rule(who=users)
    def come_or_go(self, who: str) -> None:
        user = USERS[who]
        if not self._works(user):
            return
        number = user.user_id
        self.run(set_presence, user, number not in self.present)
        if number in self.present:
            self.present.discard(number)
            if self.stories["chat_session"].offered_to == number:
                self.stories["chat_session"].offered_to = None
        else:
            self.present.add(number)
            self._came(number)

    def _came(self, user: int) -> None:
        story = self.stories["chat_session"]
        if user in self.present and story.may_work(user):
            story.somebody_came(self.now)

    # ---- whether it is open

    @rule(kind=st.sampled_from(("agent_session", "chat_session", "conversation")), over_rest=st.booleans())
    def close_or_reopen(self, kind: str, over_rest: bool) -> None:
        story = self.stories[kind]
        if over_rest:
            self.wait(self.contracts.patch(path_of(kind, self.keys[kind]), switched(kind, opens=story.closed)))
        else:
            self.run(reopen if story.closed else close, BO, self.refs[kind])
        if story.closed:
            story.reopen(self.now)
        else:
            story.close()

    @rule(posts=st.booleans())
    def finish_or_post(self, posts: bool) -> None:
        """A chat ends in another way than by closing it."""
        story, ref = self.stories["chat_session"], self.refs["chat_session"]
        if story.closed or story.form == "RequestPosted":
            return
        status = ChatSessionStatus.REQUEST_POSTED if posts else ChatSessionStatus.FINISHED
        self.run(update_chat_session, ADA, ref, {"status": status})
        if posts:
            story.post_request()
        else:
            story.close("Finished")

    @rule()
    def reset(self) -> None:
        story = self.stories["chat_session"]
        if not story.closed:
            self.run(reset_chat_session, ADA, self.refs["chat_session"])
            there = any(story.may_work(number) for number in self.present)
            story.hand_off(self.now, somebody_is_there=there)

    @rule()
    def welcome_or_not(self) -> None:
        self.welcome = not self.welcome
        topic = GlobalId("top", self.floor.targets["chat_session"]["chat_topic_id"])
        self.run(update_chat_topic, ADA, topic, {"welcome_message": "Welcome" if self.welcome else None})

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
            if kind == "session" and story.asked:
                story.ask(False, self.now)
        else:
            self.run(raise_attention, BO, self.refs[kind])
            story.raised = True

    @rule(kind=st.sampled_from(("session", "agent_session")))
    def ask_or_not(self, kind: str) -> None:
        story = self.stories[kind]
        asked = not story.asked
        if kind == "session":
            self.run(update_session, BO, {"need_attention": asked}, ref=str(self.refs[kind]))
        else:
            metadata = {"customer_id": f"agent_session-of-life-{self.born}"}
            metadata |= {"resolution_status": "escalated"} if asked else {}
            self.run(update_agent_session, BO, str(self.refs[kind]), {"metadata": metadata})
        if asked and kind == "session" and not story.is_open(self.now) and story.lost:
            story.holder = story.lease = None
        story.ask(asked, self.now)

    # ---- time

    def _restart_process(self) -> None:
        self.scheduler = Scheduler(self.floor.graph.database, self.floor.clock)

    @rule(seconds=st.sampled_from(AHEAD), dies=st.booleans())
    def go_on(self, seconds: int, dies: bool) -> None:
        """Time passes. The process may have been away meanwhile, and a new one finds what is due."""
        self.went_back = False
        if dies:
            self._restart_process()
        self.floor.clock.advance(seconds + 5)
        self.wait(self.scheduler.fire())
        for story in self.stories.values():
            story.pass_until(self.now)

    @precondition(lambda self: not self.went_back)
    @rule()
    def go_back(self) -> None:
        """Another process has a clock that is behind."""
        self.went_back = True
        self.floor.clock.advance(-3)
