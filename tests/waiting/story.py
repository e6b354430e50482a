"""What happens to an interaction, told to the reference of the waiting rules."""

from dataclasses import replace
from datetime import datetime

from tests.waiting.reference import WARNING, Facts, Said

TAKEN_OVER = ("agent_session", "chat_session")
"""The kinds whose bot is out of charge when a user takes them."""


class Story(Facts):
    """One interaction as everything that happened to it has left it."""

    # ---- messages

    def hear(self, key: int, now: datetime) -> None:
        self.messages.append(Said(key, "CUSTOMER", now))
        if self.lost:
            self.release(now)
        self.last_heard = now if self.last_heard is None else max(self.last_heard, now)
        self.announced = self.snoozed_until = self.ended = None
        self.restarts = []
        self.woken = False
        self.last = "CustomerLast"
        if self.closed:
            self.closed = False
            self.status = "to-do"

    def answer(self, key: int, user: int, now: datetime) -> None:
        """A user writes, of whatever the interaction is."""
        delivered = self.kind != "conversation" or self.reply_blocked(user, now) in (None, "HELD_BY_OTHER")
        status = "CREATED" if delivered else "ERROR"
        self.messages.append(Said(key, "USER", now, user, status, of_holder=self.holder == user))
        if delivered:
            self._answered(user)

    def restart(self, key: int, user: int, now: datetime) -> None:
        self.messages.append(Said(key, "USER", now, user, of_holder=self.holder == user))
        self.restarts.append(key)
        self._announce()
        self._answered(user)

    def _announce(self) -> None:
        """The customer has to write first as long as a restart since its last message may have arrived."""
        stand = [said.arrived for said in self.messages if said.key in self.restarts and said.stands]
        self.announced = max(stand, default=None)

    def _answered(self, user: int) -> None:
        self.woken = False
        self.read |= {said.key for said in self.heard()}
        self.last = "UserLast"
        if self.kind in TAKEN_OVER:
            self.bot = False
            if self.holder is None:
                self.take(user, None)
        if self.kind == "chat_session":
            self.asked, self.form = False, None

    def bot_says(self, key: int, now: datetime) -> None:
        asked = self.asked or self.raised or self.form is not None
        self.messages.append(Said(key, "BOT", now, counts=self.bot and self.holder is None and not asked))
        self.last = "UserLast"

    def fail(self, key: int) -> None:
        """The delivery of an answer fails. What rested on it does not any more."""
        place = next(i for i, said in enumerate(self.messages) if said.key == key)
        said = self.messages[place]
        rested = said.key == max(each.key for each in self.messages if each.stands)
        self.messages[place] = replace(said, status="ERROR")
        if key in self.restarts:
            self._announce()
        if not rested:
            return
        if self.settled > key:
            self.settled = 0
        if self.unanswered():
            if self.closed:
                self.closed, self.status = False, "in-progress"
            self.snoozed_until = None

    def arrive(self, key: int) -> None:
        """An answer that was reported as lost has been delivered after all."""
        self.messages = [replace(said, status="DELIVERED") if said.key == key else said for said in self.messages]
        if key in self.restarts:
            self._announce()

    def delete(self, key: int, now: datetime) -> None:
        """A message is gone: an answer is as if it had not been sent."""
        answered = any(said.key == key and said.author != "CUSTOMER" and said.counts for said in self.messages)
        self.messages = [said for said in self.messages if said.key != key]
        if key in self.restarts:
            self._announce()
        if answered and self.snoozed_until is not None:
            self.snooze(self.snoozed_until, now)

    # ---- who has it

    def take(self, user: int, lease: datetime | None) -> None:
        self.holder, self.lease = user, lease
        self.claimed = max((said.key for said in self.messages), default=0) + 1
        self.woken = False
        self.status = "in-progress" if self.status == "to-do" else self.status
        self.offered_to = None
        if self.kind in TAKEN_OVER:
            self.bot = False
        if self.kind == "chat_session":
            self.asked, self.form, self.begun = False, None, True

    def picked_up(self, *, welcomed: bool) -> None:
        """Who wrote last in a chat that a user takes for the first time, or out of a queue."""
        self.last = "CustomerLast" if not welcomed and any(self.heard()) else "UserLast"

    def renew(self, lease: datetime | None) -> None:
        until = self.leased_until()
        self.lease = None if lease is None or until is None else max(lease, until)
        self.claimed = max((said.key for said in self.messages), default=0) + 1

    def release(self, now: datetime) -> None:
        """Nobody holds it any more. A Session that only its holder kept open asks for another human."""
        self.holder = self.lease = self.offered_to = self.form = None
        self._keep_open(now, needed=bool(self.unanswered()))
        if self.kind == "agent_session":
            self.bot = not self.closed
        if self.kind == "chat_session":
            self.asked, self.ended = True, None

    def _keep_open(self, now: datetime, *, needed: bool = False) -> None:
        """A Session that would be over asks for a human where one is `needed`, or was asked for by hand."""
        raised = self.raised and not self.seen_closed
        if self.kind == "session" and (needed or raised) and not self.is_open(now):
            self.asked, self.bot = True, False

    def hand_off(self, now: datetime, *, somebody_is_there: bool) -> None:
        self.release(now)
        self.bot = False
        if not somebody_is_there:
            self.asked, self.form = False, "OfflineForm"

    def post_request(self) -> None:
        self.asked, self.form, self.bot = False, "RequestPosted", False
        self.lease = self.offered_to = None

    def somebody_came(self, now: datetime) -> None:
        if self.form == "OfflineForm" and self.holder is None:
            self.hand_off(now, somebody_is_there=True)

    def accept(self, user: int) -> None:
        self.holder, self.lease, self.offered_to, self.begun = user, None, None, True

    def resume(self) -> None:
        """The bot is handed the interaction back."""
        self.holder = self.lease = self.offered_to = self.form = None
        self.bot = True
        if self.kind != "agent_session":
            self.asked = False
        self.last = "CustomerLast" if self.unanswered() else "UserLast"

    # ---- whether it is open

    def close(self, how: str = "Closed") -> None:
        self.settle()
        self.ended = "ClosedFromQueue" if how == "Closed" and self.asked else how
        self.closed, self.status = True, "done"
        self.snoozed_until = self.offered_to = None
        self.woken = False
        if self.kind == "agent_session":
            self.bot = False
        if self.kind == "chat_session":
            self.asked, self.form, self.lease = False, None, None

    def settle(self) -> None:
        """A user ends it who has read everything."""
        if self.unanswered() and self.unread() == 0:
            self.settled = max(said.key for said in self.heard())

    def reopen(self, now: datetime) -> None:
        self.closed, self.status, self.ended, self.last = False, "in-progress", None, "UserLast"
        if self.lost:
            self.release(now)
        if self.kind == "agent_session":
            self.bot = self.holder is None

    def clear(self) -> None:
        self.raised = self.woken = False

    def ask(self, asked: bool, now: datetime) -> None:
        """Flag a Session, escalate an AgentSession, or no longer."""
        self.asked = asked
        if self.kind == "session":
            self.bot = not asked
            self.ended_by_user(now)

    def ended_by_user(self, now: datetime) -> None:
        """A Session ages out; where what a user does is what ends one, the user has closed it."""
        if self.kind == "session" and not self.seen_closed and not self.is_open(now):
            self.settle()

    def snooze(self, until: datetime, now: datetime) -> None:
        closes = self.reply_until()
        if self.unanswered() and closes is not None and closes > now:
            until = min(until, closes - WARNING if closes - WARNING > now else closes)
        self.snoozed_until, self.woken = until, False

    # ---- time

    def pass_until(self, now: datetime) -> None:
        """What time alone has done by now."""
        until = self.leased_until()
        if until is not None and until <= now:
            if self.closed or self.seen_closed:
                self.lease = None
            else:
                self.release(now)
        self._keep_open(now)
        if self.snoozed_until is not None and self.snoozed_until <= now:
            self.snoozed_until, self.woken = None, True
