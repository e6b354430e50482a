"""Loads interactions by the hundred thousand, a chunk with each command."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import sqlalchemy as sa

from app.core.actor import Actor
from app.demo.loading import Loaded
from app.interactions.events import Created
from app.interactions.model import Interaction
from app.interactions.repository.kinds import KindRepository
from app.interactions.service.recording import record
from app.interactions.tables import interaction, message, message_error, note
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.session.repository import SessionRepository
from app.storage.database import Database
from app.storage.repository import reserve_ids
from app.storage.work import Work
from benchmarks.bulk.chunk import Chunk
from benchmarks.bulk.customers import Crowd, add_persons, invite
from benchmarks.bulk.drafts import KINDS, draft
from benchmarks.bulk.kinds import MAKERS
from benchmarks.bulk.repository import BulkRepository
from benchmarks.bulk.staff import Staff, hire
from benchmarks.bulk.talk import Pages

CHUNK = 1_000
VERSION = 1
"""Counts up when what is loaded changes, for whoever keeps a loaded database."""

SEED = "switchboard"
_PERSONS_IN_CHUNK = 1_000
_NOBODY = Actor(user_id=0, name="Demo")
_REPOSITORIES: Mapping[str, Callable[[sa.Connection], KindRepository[Any]]] = {
    "session": SessionRepository,
    "agent_session": AgentSessionRepository,
    "chat_session": ChatSessionRepository,
    "conversation": ConversationRepository,
}


@dataclass(frozen=True, slots=True)
class Load:
    """A bulk load once its ids are reserved. `key` begins the keys of its messages and sessions."""

    count: int
    seed: str
    key: str
    staff: Staff
    crowd: Crowd
    first_id: int
    first_chat_number: int
    first_conversation_number: int


def _nobody_is_told(_done: int, _of: int) -> None:
    return None


async def load_bulk(
    database: Database, count: int, report: Callable[[int, int], None] = _nobody_is_told, *, seed: str = SEED
) -> Loaded:
    """Add `count` interactions with their staff and customers to whatever there is, each with ten messages or so.

    The same seed makes the same rows in an empty database at the same time. `report` is told how many interactions
    are done, and of how many."""
    load = await database.command(_begin, count, seed)
    persons = range(load.crowd.persons)
    for start in range(0, len(persons), _PERSONS_IN_CHUNK):
        await database.command(add_persons, load.staff, load.crowd, persons[start : start + _PERSONS_IN_CHUNK], seed)
    messages = 0
    ranks: dict[int, int] = {}
    for start in range(0, count, CHUNK):
        places = range(start, min(start + CHUNK, count))
        written, ranks = await database.command(_add_chunk, load, places, ranks)
        messages += written
        report(places.stop, count)
    return Loaded(count, messages)


def _begin(work: Work, count: int, seed: str) -> Load:
    milliseconds = int(work.now.timestamp() * 1000)
    of_each_kind = -(-count // len(KINDS))
    staff = hire(work)
    first_id = reserve_ids(work.connection, interaction, count)
    return Load(
        count=count,
        seed=seed,
        # As a UUIDv7 of this moment begins; the last twelve digits are the row's id.
        key=f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7000-8000-",
        staff=staff,
        crowd=invite(work, of_each_kind),
        first_id=first_id,
        first_chat_number=work.use(ChatSessionRepository).reserve_numbers(of_each_kind),
        first_conversation_number=work.use(ConversationRepository).reserve_numbers(of_each_kind),
    )


def _add_chunk(work: Work, load: Load, places: range, ranks: dict[int, int]) -> tuple[int, dict[int, int]]:
    random = Random(f"{load.seed}:interactions:{places.start}")
    drafts = [draft(place, load.count, load.first_id, load.staff.now, random) for place in places]
    number = reserve_ids(work.connection, message, sum(one.length for one in drafts))
    pages = Pages(
        key=load.key,
        # More than are needed: a gap in the ids is no harm.
        next_error=reserve_ids(work.connection, message_error, 10 * len(drafts)),
        next_note=reserve_ids(work.connection, note, len(drafts)),
    )
    chunk = Chunk(
        work=work,
        staff=load.staff,
        crowd=load.crowd,
        random=random,
        pages=pages,
        # A copy, because the database may run the unit again.
        ranks=dict(ranks),
        first_chat_number=load.first_chat_number,
        first_conversation_number=load.first_conversation_number,
    )
    made: dict[str, list[Interaction]] = {kind: [] for kind in KINDS}
    for one in drafts:
        one.first_message = number
        number += one.length
        new = MAKERS[one.kind](chunk, one)
        made[one.kind].append(new)
        record(work, _NOBODY, None, new, Created())
    _write(work, made, pages)
    return len(pages.messages), chunk.ranks


def _write(work: Work, made: dict[str, list[Interaction]], pages: Pages) -> None:
    for kind, interactions in made.items():
        if interactions:
            work.use(_REPOSITORIES[kind]).add_many(interactions)
    bulk = work.use(BulkRepository)
    bulk.add_messages(pages.messages)
    bulk.add_errors(pages.errors)
    bulk.add_notes(pages.notes)
