"""What can happen to the outbox of a connection, in any order, beside a plain model of what has to come of it."""

import asyncio
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from app.connections.model.outbox import EntryState
from app.connections.service import delete_connection, drop_entry, reading, retry_entry
from app.core.ids import GlobalId
from app.interactions.messages import MessageStatus
from app.interactions.model import State
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import assign
from app.interactions.service.messages import send_message
from app.interactions.service.state import close, reopen
from app.storage.leases import take_lease
from tests.connections.machines.seen import Here, Story, is_active
from tests.connections.machines.working import LEASE, TALKS, Working
from tests.kinds.conftest import ADA, BO

_AHEAD = (1, 3, 16, 31, 61, 400, 4_000)
_ANSWERS = ("done", "refused", "busy", "cut before", "cut after")
_DONE = {"DONE": "done", "TO_DO": "to-do", "IN_PROGRESS": "in-progress"}

places = st.integers(0, 11)
talks = st.integers(0, TALKS - 1)
ends = st.sampled_from(("later", "held", *_ANSWERS))
"""What becomes of a write at once: it is left for later, or its request waits for an answer, or has one."""


class OutboxMachine(Working):
    """Commands here, events there, answers, deaths and time; after each step nothing is sent twice, lost or late."""

    # ---- what is done here

    def _ref(self, story: Story) -> GlobalId | None:
        found = self.here().get(story.talk.number)
        return None if found is None or story.erased is not None else GlobalId("cnv", found.id)

    @rule(place=talks, how=ends)
    def say(self, place: int, how: str) -> None:
        story = self.stories[place]
        ref = self._ref(story)
        if ref is not None:
            self.count += 1
            text = f"Answer {self.count} to {story.talk.number}"
            self.run(send_message, ADA, ref, {"type": "text", "content": text}, override=True)
            story.said.append(text)
            self._work(0, how)

    @rule(place=talks, gives=st.booleans(), how=ends)
    def set_value(self, place: int, gives: bool, how: str) -> None:
        """Close it or open it again, or give it to Bo or to nobody."""
        story = self.stories[place]
        ref, found = self._ref(story), self.here().get(story.talk.number)
        if ref is None or found is None:
            return
        if gives:
            self.run(assign, ADA, ref, None if found.assignee_id else BO.user_id)
        else:
            self.run(close if found.state is State.OPEN else reopen, ADA, ref)
        after = self.here()[story.talk.number]
        if after.status != found.status:
            story.wish = _DONE[after.status] if story.read == story.talk.foreign else None
        self._work(0, how)

    @rule(pick=places, again=st.booleans())
    def resolve(self, pick: int, again: bool) -> None:
        """A human looks after something that was refused or is uncertain."""
        found = self.here()
        open_ones = [
            (story, here, entry)
            for story in self.stories
            if (here := found.get(story.talk.number)) is not None
            for entry in here.entries
            if entry.state in (EntryState.REFUSED, EntryState.UNCERTAIN)
        ]
        if not open_ones:
            return
        story, here, entry = open_ones[pick % len(open_ones)]
        text = next((each.text for each in here.messages if each.id == entry.message_id), None)
        active = [each for each in here.entries if each.slot is not None and each.slot == entry.slot]
        story.wish = None
        if not again:
            self.run(drop_entry, ADA, f"obx_{entry.id}")
            story.dropped |= {text} if text is not None else set()
        elif not any(each.state not in (EntryState.REFUSED, EntryState.UNCERTAIN) for each in active):
            self.run(retry_entry, ADA, f"obx_{entry.id}")
            if text is not None:
                story.again.add(text)
                story.repeated[text] += entry.state is EntryState.UNCERTAIN

    @precondition(lambda self: sum(each.erased is not None for each in self.stories) < TALKS - 1)
    @rule(place=talks, luck=st.integers(0, 3))
    def erase(self, place: int, luck: int) -> None:
        """The customer is erased here with all that waits."""
        story = self.stories[place]
        found = self.here().get(story.talk.number)
        if found is not None and story.erased is None and luck == 0:
            self.run(erase_customer, ADA, f"cus_{found.customer_id}")
            story.erased = frozenset(story.talk.texts())

    # ---- what is done there

    @rule(place=talks)
    def customer_writes(self, place: int) -> None:
        story = self.stories[place]
        if not story.talk.gone and story.erased is None:
            self.count += 1
            self.platform.hear(story.talk, f"Question {self.count} of {story.talk.number}")
            story.wish = None

    @rule(place=talks, status=st.sampled_from(("done", "in-progress")))
    def status_is_set_there(self, place: int, status: str) -> None:
        story = self.stories[place]
        if not story.talk.gone:
            self.platform.set_status(story.talk, status)
            story.wish = None

    @precondition(lambda self: not any(each.talk.gone for each in self.stories))
    @rule(place=talks, luck=st.integers(0, 3))
    def is_deleted_there(self, place: int, luck: int) -> None:
        if luck == 0:
            self.stories[place].talk.gone = True
            self.stories[place].wish = None

    @rule()
    def falls_silent(self) -> None:
        self.platform.silent = not self.platform.silent

    # ---- what the processes do

    @rule(which=st.integers(0, 1), how=ends, old=st.booleans())
    def works(self, which: int, how: str, old: bool) -> None:
        """A process begins what is due, or was when it looked for the latest time, and has its answers or none yet."""
        self._work(which, how, old=old)

    def _work(self, which: int, how: str, *, old: bool = False) -> None:
        if how == "later":
            return
        process = self.processes[which]
        mine = self.run(take_lease, self.lease, process.name, LEASE)
        due = self.run(reading.due, self.connection, 4, 0).entries
        for number in process.seen if old else due:
            if mine:
                assert self.begin(self.processes[1 - which], number) is None, "a process has sent without the lease"
            flight = self.begin(process, number)
            assert mine or flight is None, "a process has sent without the lease"
            if flight is not None and how != "held":
                self.answer(process, number, how)
        process.seen = due

    @rule(pick=places, how=st.sampled_from(_ANSWERS))
    def is_answered(self, pick: int, how: str) -> None:
        """A request has its answer, or is cut off."""
        flying = [(each, number) for each in self.processes for number in each.tasks]
        if flying:
            process, number = flying[pick % len(flying)]
            self.answer(process, number, how)

    @rule(pick=places)
    def is_done_silently(self, pick: int) -> None:
        """A request is done, and nobody here knows that yet; also one whose sender has gone."""
        flights = [*self.platform.flights, *self.strays]
        if flights:
            self.do(flights[pick % len(flights)])

    @rule(which=st.integers(0, 1))
    def dies(self, which: int) -> None:
        """A process is ended without a word, and comes back."""
        process = self.processes[which]
        for number in list(process.tasks):
            task, flight = process.tasks.pop(number)
            task.cancel()
            self.wait(asyncio.wait([task]))
            self.platform.flights.remove(flight)
            self.cut_off(flight)
            self.story(flight).faults = True

    @rule(seconds=st.sampled_from(_AHEAD), late=st.booleans(), which=st.integers(0, 1), how=ends)
    def go_on(self, seconds: float, late: bool, which: int, how: str) -> None:
        """Time passes, and a process finds what is due."""
        self.pass_time(seconds, late=late)
        self._work(which, how)

    # ---- reads

    @rule(place=talks, told=st.booleans())
    def is_hinted(self, place: int, told: bool) -> None:
        """A webhook says that something has changed, or the list does."""
        if told:
            self.run(reading.note_hint, self.connection, str(self.stories[place].talk.number))
        else:
            self.poll()

    @rule(pick=places)
    def begins_to_read(self, pick: int) -> None:
        due = self.tick_and_due()
        if due.marks:
            self.read(due.marks[pick % len(due.marks)], due.now)

    @rule(pick=places)
    def ends_to_read(self, pick: int) -> None:
        if self.reads:
            self.apply(self.reads.pop(pick % len(self.reads)))

    # ---- what holds at any time

    @invariant()
    def nothing_is_sent_twice_lost_or_overtaken(self) -> None:
        found = self.here()
        for story in self.stories:
            here, talk = found.get(story.talk.number), story.talk
            for text in story.said:
                assert talk.count(text) <= 1 + story.repeated[text], f"{text} is there {talk.count(text)} times"
            plain = [text for text in story.said if text not in story.again]
            there = [text for text in talk.texts() if text in plain]
            assert there == [text for text in plain if text in there], f"the order there is {there}"
            flights = [each for each in (*self.platform.flights, *self.strays) if each.talk is talk]
            assert len(flights) <= 1, f"{len(flights)} writes of one conversation are under way"
            if here is not None and story.erased is None:
                self._entries_agree(story, here)
                if not any(each.state not in (EntryState.REFUSED, EntryState.UNCERTAIN) for each in here.entries):
                    story.faults = False

    def _entries_agree(self, story: Story, here: Here) -> None:
        states = Counter(each.state for each in here.entries)
        troubles = [each for each in (EntryState.REFUSED, EntryState.UNCERTAIN) if states[each]]
        worst = troubles[0].value if troubles else None
        assert here.trouble == worst, f"{dict(states)} is told as {here.trouble}"
        if worst is not None and here.state is State.OPEN:
            assert f"SYNC_{worst}" in here.reasons, f"{worst} asks nobody: {sorted(here.reasons)}"
        assert states[EntryState.SENDING] + states[EntryState.LOOKING] <= 1
        for text in story.said:
            entries = here.about(text)
            assert entries or story.talk.count(text) or text in story.dropped or story.talk.gone, f"{text} is lost"
            for each in entries:
                if each.state is EntryState.REFUSED and not story.repeated[text]:
                    assert not story.talk.count(text), f"{text} was refused, and is there"
                    (own,) = [one for one in here.messages if one.id == each.message_id]
                    assert own.status is MessageStatus.ERROR, f"{text} was refused, and is {own.status}"

    # ---- what holds in the end, and for those who have no trouble meanwhile

    @rule()
    def is_polite_for_a_while(self) -> None:
        """What is begun by whoever has the lease is done, whatever others are stuck with."""
        busy = {id(each.talk) for each in self.platform.flights}
        calm = [each for each in self.stories if not each.faults and id(each.talk) not in busy and not each.talk.gone]
        if self.platform.silent:
            return
        for process in self.processes:
            if self.run(take_lease, self.lease, process.name, LEASE):
                self.serve(process)
                found = self.here()
                for story in calm:
                    here = found.get(story.talk.number)
                    waiting = [] if here is None else [each.action for each in here.entries if is_active(each)]
                    assert not waiting, f"{waiting} wait behind the trouble of others"

    def teardown(self) -> None:
        self.platform.silent = False
        for process in self.processes:
            for number in list(process.tasks):
                self.answer(process, number, "cut before")
        self.settle()
        self.both_sides_are_equal()
        self.run(delete_connection, ADA, f"con_{self.connection}")

    def both_sides_are_equal(self) -> None:
        found = self.here()
        for story in self.stories:
            here, talk = found.get(story.talk.number), story.talk
            if story.erased is not None:
                kept = [] if here is None else [each.text for each in here.messages]
                assert not story.erased & set(kept), "what was erased has come back"
                continue
            if here is None or talk.gone:
                assert talk.gone, f"{talk.number} is not here"
                continue
            assert _DONE[here.status] == talk.status, f"{talk.number}: {here.status} here, {talk.status} there"
            assert here.assignee_id == talk.user_id, f"{talk.number}: {here.assignee_id} here, {talk.user_id} there"
            assert story.wish in (None, talk.status), f"{talk.number}: {story.wish} was set, and it is {talk.status}"
            # The bot's keys are numbers.
            unsent = [each.text for each in here.messages if not (each.message_key or "").isdecimal()]
            said = Counter(each.text for each in here.messages)
            assert Counter(talk.texts()) + Counter(unsent) == said, f"{talk.texts()} and {unsent} are {dict(said)}"
            for text in unsent:
                assert here.about(text) or text in story.dropped, f"nobody knows of {text}"
