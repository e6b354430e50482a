"""One chunk of a bulk load: what its interactions share, and how state and attention come to be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from app.interactions.model import Attention, Cause, Interaction, Level, State, derive_attention, shared_causes
from app.interactions.repository.messages import Note
from app.interactions.service.change import next_due
from app.interactions.waiting import settled
from app.storage.work import Work
from benchmarks.bulk.customers import Crowd
from benchmarks.bulk.drafts import Draft, Wish
from benchmarks.bulk.staff import Staff
from benchmarks.bulk.talk import Pages, Voice, talk, waiting_of
from benchmarks.bulk.words import LABELS, NOTES

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures
T = TypeVar("T")

_PAUSES = {"session": 180, "agent_session": 60, "chat_session": 120, "conversation": 10_800}
"""The longest pause between two messages, in seconds."""


@dataclass(slots=True)
class Chunk:
    """What is being written with one command. `ranks` has the last rank of each user's active chats."""

    work: Work
    staff: Staff
    crowd: Crowd
    random: Random
    pages: Pages
    ranks: dict[int, int]
    first_chat_number: int
    first_conversation_number: int

    def one(self, of: Sequence[T]) -> T:
        """One of several, at random."""
        return of[int(self.random.random() * len(of))]

    def some(self, of: Sequence[str], chance: float) -> tuple[str, ...]:
        """With this chance one or two of several, else none."""
        if self.random.random() > chance:
            return ()
        return tuple(dict.fromkeys((self.one(of), self.one(of))))

    def user(self, chance: float) -> int | None:
        """With this chance one of the users, else nobody."""
        return self.one(self.staff.users) if self.random.random() < chance else None

    def talk(self, draft: Draft, customer: Voice, ours: Voice, later: Voice) -> None:
        """Write the draft's messages; only who needs a human has not been read."""
        voices = (customer, ours, later)
        read = draft.wish is not Wish.NEEDED
        talk(draft, self.pages, self.random.random, _PAUSES[draft.kind], voices, read=read)

    def common(self, draft: Draft, system: str, user: int | None) -> dict[str, Any]:
        """The fields that all kinds share, apart from what the kind's rules derive; for a draft that has talked."""
        leased = user is not None and draft.wish is Wish.NEEDED and draft.luck < 0.3
        raised = draft.wish is not Wish.CLOSED and self.random.random() < 0.01
        return {
            "id": draft.id,
            "customer_id": self.crowd.customer(system, draft.number),
            "assignee_id": user,
            "claimed_until": self.staff.now + timedelta(minutes=5 + draft.luck * 60) if leased else None,
            "labels": self.some(LABELS, 0.3),
            "raised_level": self.one(list(Level)) if raised else None,
            "version": 1 + int(self.random.random() * 6),
            "created_at": draft.created_at,
            "updated_at": draft.last_at,
            "last_message_at": draft.last_at,
            "latest_message_id": draft.latest,
            "latest_customer_message_id": draft.latest_of_customer,
            "latest_note_id": self._note(draft),
            "unread_customer_messages_count": draft.unread,
        }

    def settled(self, draft: Draft, new: I) -> I:
        """The same with the wait that its messages make, and the state, the attention and the deadline that its kind's
        rules, the wait, the raised level and the lease make; needed since its last message."""
        kind, work = self.work.kinds[new.kind], self.work
        new = replace(new, waiting=waiting_of(self.pages.messages[-draft.length :]))
        state = kind.state(new, self.staff.now, work.settings)
        causes: list[Cause] = []
        if state is State.OPEN:
            own = kind.causes(new, self.staff.now, work.settings)
            causes = [*own, *shared_causes(new, own)]
        elif state is State.CLOSED and new.waiting.needed:
            new = replace(new, waiting=settled(new.waiting, draft.latest_of_customer or 0))
        attention = derive_attention(Attention(), causes, draft.last_at)
        if causes and self.random.random() < 0.15:
            attention = replace(attention, acknowledged_by=self.user(1.0), acknowledged_at=self.staff.now)
        after = replace(new, state=state, attention=attention)
        return replace(after, due_at=next_due(kind, after, self.staff.now, work.settings))

    def _note(self, draft: Draft) -> int | None:
        if self.random.random() > 0.05:
            return None
        number = self.pages.next_note
        self.pages.next_note += 1
        at = draft.last_at
        self.pages.notes.append(Note(number, draft.id, draft.kind, self.user(1.0), self.one(NOTES), at, at))
        return number
