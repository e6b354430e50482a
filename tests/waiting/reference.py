"""The rules of waiting as their specification has them, slowly: everything is found anew from what happened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
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
    """A message in the order of arrival. `counts` is whether it was an answer, or would be if it was delivered.

    `of_holder` is whether the user who wrote it held the interaction."""

    key: int
    author: str
    arrived: datetime
    user: int | None = None
    status: str = "CREATED"
    counts: bool = True
    of_holder: bool = False

    @property
    def stands(self) -> bool:
        """Whether the message is an answer that was not reported as lost."""
        return self.author != "CUSTOMER" and self.counts and self.status != "ERROR"


@dataclass
class Facts:
    """What has happened to one interaction, and what follows from it.

    `claimed` is the number of the first message that would come after the claim; `lease` is when the claim ends unless
    its holder answers. `gone` are the users who are not active, `powerless` those who may only read, `may_respond`
    those who may take chats. `form` is where a chat stands when nobody was there for it, `ended` how it ended, `last`
    who of both sides wrote last. `seen_closed` is whether it was closed when it was last looked at.
    `restarts` are the messages that began a conversation anew since the customer's last one, `announced` is when the
    latest was written of those that stand."""

    kind: str
    created: datetime
    messages: list[Said] = field(default_factory=list)
    holder: int | None = None
    lease: datetime | None = None
    claimed: int = 0
    offered_to: int | None = None
    bot: bool = False
    asked: bool = False
    form: str | None = None
    ended: str | None = None
    last: str = "CustomerLast"
    begun: bool = False
    closed: bool = False
    seen_closed: bool = False
    settled: int = 0
    raised: bool = False
    status: str = "to-do"
    snoozed_until: datetime | None = None
    woken: bool = False
    read: set[int] = field(default_factory=set)
    last_heard: datetime | None = None
    announced: datetime | None = None
    restarts: list[int] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    powerless: set[int] = field(default_factory=set)
    may_respond: set[int] = field(default_factory=set)

    @property
    def lost(self) -> bool:
        """Whether the holder may not work on it any more."""
        return self.holder is not None and not self.may_work(self.holder)

    def may_work(self, user: int) -> bool:
        return user not in self.gone | self.powerless and (self.kind != "chat_session" or user in self.may_respond)

    # ---- waiting

    def unanswered(self) -> list[Said]:
        """The customer's messages that nobody has answered, nor closed after having read them."""
        last = max((said.key for said in self.messages if said.stands), default=0)
        return [said for said in self.heard() if said.key > max(last, self.settled)]

    def heard(self) -> Iterator[Said]:
        return (said for said in self.messages if said.author == "CUSTOMER")

    def failed(self) -> bool:
        """Whether the latest answer was not delivered."""
        answers = [said for said in self.messages if said.author != "CUSTOMER" and said.counts]
        return bool(answers) and answers[-1].status == "ERROR"

    def unread(self) -> int:
        return len([said for said in self.heard() if said.key not in self.read])

    def reply_until(self) -> datetime | None:
        """The end of the reply window: it counts from the customer's latest message, deleted or not, or from when it
        was asked to write again."""
        if self.announced is not None:
            return self.announced + WINDOW
        return None if self.last_heard is None else self.last_heard + WINDOW

    def leased_until(self) -> datetime | None:
        """When the claim ends: no answer of the holder's since stands."""
        answered = any(said.key >= self.claimed and said.of_holder and said.stands for said in self.messages)
        return None if answered else self.lease

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
            if waits and until is not None and self.announced is None:
                if now >= until:
                    found["MISSED"] = "HIGH"
                elif now >= until - WARNING:
                    found["REPLY_WINDOW"] = "URGENT"
            if self.status == "to-do" or self.woken:
                found["TO_DO"] = "LOW"
        if self.kind == "chat_session":
            if self.offered_to is not None:
                found["TRANSFER"] = "HIGH"
            if self.asked:
                found["QUEUED"] = "HIGH"
            if self.form is not None:
                found["MISSED"] = "HIGH"
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

    def chief(self, now: datetime) -> str | None:
        found = self.reasons(now)
        return min(found, key=lambda name: (HIGH_TO_LOW.index(found[name]), TABLE.index(name)), default=None)

    # ---- what users may do

    def held_by_other(self, user: int, now: datetime) -> bool:
        """Whether somebody else holds it, who can still work on it."""
        until = self.leased_until()
        lapsed = until is not None and until <= now
        return self.holder not in (None, user) and not lapsed and self.holder not in self.gone

    def reply_blocked(self, user: int, now: datetime) -> str | None:
        """Why the user cannot reply."""
        if self.kind == "session":
            if not self.is_open(now):
                return "CLOSED"
        elif self.kind == "conversation":
            until = self.reply_until()
            if self.announced is not None:
                return "CUSTOMER_MUST_ANSWER"
            if until is None or until <= now:
                return "WINDOW_CLOSED"
        elif self.closed:
            return "CLOSED"
        return "HELD_BY_OTHER" if self.held_by_other(user, now) else None

    def may_claim(self, user: int, now: datetime) -> bool:
        if self.closed or (self.kind == "session" and not self.is_open(now)):
            return False
        if self.kind == "chat_session" and user not in self.may_respond:
            return False
        return not self.held_by_other(user, now)

    # ---- what the contracts of the kinds say of it

    def chat_status(self) -> str:
        if self.ended is not None:
            return self.ended
        return self.form or ("InQueue" if self.asked else self.last)
