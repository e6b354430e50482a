"""The rules of waiting as their specification has them, slowly: everything is found anew from what happened."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
WARNING = timedelta(hours=1)
SESSION_WINDOW = timedelta(hours=2)
HIGH_TO_LOW = ("URGENT", "HIGH", "NORMAL", "LOW")
TABLE = (
    "REPLY_WINDOW",
    "MISSED",
    "ALERT",
    "TRANSFER",
    "QUEUED",
    "FLAGGED",
    "ESCALATED",
    "CUSTOMER_WAITING",
    "DELIVERY_FAILED",
    "TO_DO",
    "ORPHANED",
    "RAISED",
)


@dataclass(frozen=True)
class Said:
    """A message in the order of arrival. `counts` is whether a bot's counted when it was written."""

    key: int
    author: str
    arrived: datetime
    status: str = "CREATED"
    counts: bool = True


@dataclass
class Story:
    """One interaction as everything that happened to it has left it."""

    kind: str
    created: datetime
    messages: list[Said] = field(default_factory=list)
    holder: int | None = None
    lease: datetime | None = None
    ended_lease: datetime | None = None
    offered_to: int | None = None
    bot: bool = False
    asked: bool = False
    closed: bool = False
    settled: int = 0
    raised: bool = False
    began: bool = False
    snoozed_until: datetime | None = None
    woken: bool = False
    read: set[int] = field(default_factory=set)
    last_heard: datetime | None = None
    gone: set[int] = field(default_factory=set)

    @property
    def lost(self) -> bool:
        """Whether the holder is not active any more."""
        return self.holder in self.gone

    # ---- waiting

    def stands(self, said: Said) -> bool:
        """Whether the message is an answer that still stands."""
        return said.author != "CUSTOMER" and said.counts and said.status != "ERROR"

    def unanswered(self) -> list[Said]:
        """The customer's messages that nobody has answered, nor closed after having read them."""
        last = max((said.key for said in self.messages if self.stands(said)), default=0)
        return [s for s in self.messages if s.author == "CUSTOMER" and s.key > max(last, self.settled)]

    def failed(self) -> bool:
        """Whether the latest answer was not delivered."""
        answers = [said for said in self.messages if said.author != "CUSTOMER" and said.counts]
        return bool(answers) and answers[-1].status == "ERROR"

    def unread(self) -> int:
        return len([said for said in self.messages if said.author == "CUSTOMER" and said.key not in self.read])

    def reply_until(self) -> datetime | None:
        """The end of the reply window: it counts from the customer's latest message, deleted or not."""
        return None if self.last_heard is None else self.last_heard + WINDOW

    # ---- why a human is needed

    def is_open(self, now: datetime) -> bool:
        if self.kind == "session":
            if self.asked or (self.holder is not None and self.unanswered()):
                return True
            return now < max((said.arrived for said in self.messages), default=self.created) + SESSION_WINDOW
        asleep = self.snoozed_until is not None and self.snoozed_until > now
        return not self.closed and not asleep

    def reasons(self, now: datetime) -> dict[str, str]:
        """Every reason with its level."""
        found: dict[str, str] = {}
        if not self.is_open(now):
            return found
        waits = bool(self.unanswered())
        until = self.reply_until()
        if self.kind == "conversation":
            if waits and until is not None:
                if now >= until:
                    found["MISSED"] = "HIGH"
                elif now >= until - WARNING:
                    found["REPLY_WINDOW"] = "URGENT"
            if not self.began or self.woken:
                found["TO_DO"] = "LOW"
        if self.kind == "chat_session":
            if self.offered_to is not None:
                found["TRANSFER"] = "HIGH"
            if self.asked:
                found["QUEUED"] = "HIGH"
        if self.kind == "session" and self.asked:
            found["FLAGGED"] = "HIGH"
        if self.kind == "agent_session" and self.asked:
            found["ESCALATED"] = "HIGH"
        if waits and (not self.bot or self.holder is not None):
            found["CUSTOMER_WAITING"] = "NORMAL"
        if waits and self.failed():
            found["DELIVERY_FAILED"] = "HIGH"
        if self.raised:
            found["RAISED"] = "HIGH"
        return found

    def held_by_other(self, user: int, now: datetime) -> bool:
        """Whether somebody else holds it, who can still work on it."""
        lapsed = self.lease is not None and self.lease <= now
        return self.holder not in (None, user) and not lapsed and not self.lost

    def reply_blocked(self, user: int, now: datetime) -> str | None:
        """Why the user cannot reply."""
        if self.kind == "session":
            if not self.is_open(now):
                return "CLOSED"
        elif self.kind == "conversation":
            until = self.reply_until()
            if until is None or until <= now:
                return "WINDOW_CLOSED"
        elif self.closed:
            return "CLOSED"
        return "HELD_BY_OTHER" if self.held_by_other(user, now) else None

    def chief(self, now: datetime) -> str | None:
        found = self.reasons(now)
        return min(found, key=lambda name: (HIGH_TO_LOW.index(found[name]), TABLE.index(name)), default=None)

    # ---- what happens

    def hear(self, key: int, now: datetime) -> None:
        if self.lost:
            self.release()
        self.messages.append(Said(key, "CUSTOMER", now))
        self.last_heard = now
        self.snoozed_until = None
        self.woken = False
        if self.closed:
            self.closed = False
            self.began = False

    def answer(self, key: int, user: int, now: datetime) -> None:
        delivered = self.kind != "conversation" or (self.reply_until() or now) > now
        self.messages.append(Said(key, "USER", now, "CREATED" if delivered else "ERROR"))
        if not delivered:
            return
        self.woken = False
        self.read |= {said.key for said in self.messages if said.author == "CUSTOMER"}
        if self.holder == user and self.lease is not None:
            self.lease, self.ended_lease = None, self.lease
        if self.kind in ("agent_session", "chat_session"):
            self.bot = False
            if self.holder is None:
                self.take(user, None)
        if self.kind == "chat_session":
            self.asked = False

    def bot_says(self, key: int, now: datetime) -> None:
        counts = self.bot and self.holder is None and not self.asked and not self.raised
        self.messages.append(Said(key, "BOT", now, counts=counts))

    def fail(self, key: int) -> None:
        place = next(i for i, said in enumerate(self.messages) if said.key == key)
        answers = [said for said in self.messages if said.author != "CUSTOMER" and said.counts]
        self.messages[place] = replace(self.messages[place], status="ERROR")
        if answers[-1].key != key:
            return
        if self.settled > key:
            self.settled = 0
        if self.ended_lease is not None:
            self.lease, self.ended_lease = self.ended_lease, None
        if self.unanswered():
            if self.closed:
                self.closed, self.began = False, True
            self.snoozed_until = None

    def delete(self, key: int) -> None:
        self.messages = [said for said in self.messages if said.key != key]

    def take(self, user: int, lease: datetime | None) -> None:
        self.holder, self.lease, self.ended_lease = user, lease, None
        self.woken = False
        self.began = True
        self.offered_to = None
        if self.kind in ("agent_session", "chat_session"):
            self.bot = False
        if self.kind == "chat_session":
            self.asked = False

    def renew(self, lease: datetime | None) -> None:
        self.lease = None if lease is None or self.lease is None else max(lease, self.lease)
        self.ended_lease = None

    def release(self) -> None:
        self.holder = self.lease = self.ended_lease = self.offered_to = None
        if self.kind == "agent_session":
            self.bot = not self.closed
        if self.kind == "chat_session":
            self.asked = True

    def close(self) -> None:
        if self.unanswered() and self.unread() == 0:
            self.settled = max(said.key for said in self.messages if said.author == "CUSTOMER")
        self.closed = True
        self.snoozed_until = None
        self.woken = False
        self.offered_to = None
        if self.kind == "agent_session":
            self.bot = False
        if self.kind == "chat_session":
            self.asked = False
            self.lease = None

    def reopen(self) -> None:
        self.closed = False
        self.began = True
        if self.lost:
            self.release()
        if self.kind == "agent_session":
            self.bot = self.holder is None

    def clear(self) -> None:
        self.raised = self.woken = False
        if self.kind == "session" and self.asked:
            self.ask(False)

    def ask(self, asked: bool) -> None:
        """Flag a Session, escalate an AgentSession, or no longer."""
        self.asked = asked
        if self.kind == "session":
            self.bot = not asked

    def snooze(self, until: datetime, now: datetime) -> None:
        closes = self.reply_until()
        if self.unanswered() and closes is not None and closes > now:
            until = min(until, closes - WARNING if closes - WARNING > now else closes)
        self.snoozed_until, self.woken = until, False

    def pass_until(self, now: datetime) -> None:
        """What time alone has done by now."""
        if self.lease is not None and self.lease <= now:
            if self.closed:
                self.lease = None
            else:
                self.release()
        if self.snoozed_until is not None and self.snoozed_until <= now:
            self.snoozed_until, self.woken = None, True
