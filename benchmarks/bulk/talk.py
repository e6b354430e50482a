"""The messages of a bulk load's interactions: the hot loop, one tuple for each message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from app.demo.texts import CHANNEL_FAULTS
from app.interactions.repository.messages import Note
from app.interactions.waiting import Bearing, Waiting, answered, asked
from benchmarks.bulk.drafts import Draft, moment
from benchmarks.bulk.repository import BulkError, BulkMessage
from benchmarks.bulk.scripts import filled
from benchmarks.bulk.words import EMOJI

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, in the columns that say so. `name` is only a chat's."""

    author: str
    user_id: int | None = None
    status: str = "CREATED"
    delivered: bool = False
    message_type: str | None = None
    special_type: str | None = None
    name: str | None = None
    read_by_customer: bool | None = None
    event_type: str | None = None


@dataclass(slots=True)
class Pages:
    """Rows of a chunk, ready to be written. `key` begins every key of the load, so that loads do not clash."""

    key: str
    next_error: int
    next_note: int
    messages: list[BulkMessage] = field(default_factory=list)
    errors: list[BulkError] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def talk(
    draft: Draft, pages: Pages, chance: Chance, pause: int, voices: tuple[Voice, Voice, Voice], *, read: bool
) -> None:
    """Write the draft's messages and note in it how they end.

    `voices` are the customer's, ours at first and ours from the fifth line on; `pause` is the longest one between two
    messages in seconds; `read` says whether the customer's last messages have been read, as those before them have."""
    customer, ours, later = voices
    room = max(0, draft.ends - draft.begins) // (draft.length + 1)
    least = min(1_000_000, room)
    most = min(pause * 1_000_000, room) - least
    unread_from = draft.length if read else draft.length - draft.script.waiting[draft.length]
    at, number = draft.begins, draft.first_message
    rows, kind, of, key = pages.messages, draft.kind, draft.id, pages.key
    for place, line in enumerate(draft.script.lines[: draft.length]):
        at += least + int(most * chance())
        voice = customer if line.of_customer else later if place > 4 else ours
        text, contents = filled(line, 10_000 + number) if line.holds_order else (line.text, line.contents)
        if not line.of_customer:
            status = voice.status
            draft.answered = draft.answered or at
        else:
            status = "DELIVERED" if place >= unread_from else "READ"
            draft.latest_of_customer = number
        row = BulkMessage(
            *(
                number,
                of,
                kind,
                draft.channel_key,
                f"{key}{number:012x}",
                voice.author,
                voice.user_id,
                contents,
                text,
                status,
            ),
            *(moment(at), line.of_customer or voice.delivered, None, None, None, None),
            *(voice.message_type, voice.special_type, voice.name, voice.read_by_customer, voice.event_type),
            Bearing.ASKS if line.of_customer else Bearing.ANSWERS,
        )
        rows.append(row)
        number += 1
    draft.last, draft.latest, draft.unread = at, number - 1, draft.length - unread_from


def waiting_of(rows: Sequence[BulkMessage]) -> Waiting:
    """The customer's wait that an interaction's messages make; the rows come in the order of their arrival."""
    waiting = Waiting()
    for row in rows:
        if row.bearing == Bearing.ASKS:
            waiting = asked(waiting, row.sent_at)
        elif waiting.needed or row.status == "ERROR":
            waiting = answered(waiting, delivered=row.status != "ERROR")
    return waiting


def embellish(draft: Draft, pages: Pages, chance: Chance) -> None:
    """Give some of a conversation's messages a reaction, a reference, a picture or an error."""
    start = len(pages.messages) - draft.length
    for place in range(start, len(pages.messages)):
        luck = chance()
        if luck > 0.08:
            continue
        row = pages.messages[place]
        if luck < 0.02:
            emoji = EMOJI[row.id % len(EMOJI)]
            of_customer = row.author == "CUSTOMER"
            row = row._replace(agent_reaction=emoji) if of_customer else row._replace(customer_reaction=emoji)
        elif luck < 0.04 and place > start:
            row = row._replace(reference_id=row.id - 1)
        elif luck < 0.06:
            row = row._replace(contents=_picture(row), text=row.text)
        elif row.author != "CUSTOMER":
            fault = CHANNEL_FAULTS[row.id % len(CHANNEL_FAULTS)]
            pages.errors.append(BulkError(pages.next_error, row.id, fault, row.sent_at))
            row = row._replace(status="ERROR", delivered=False, latest_error_id=pages.next_error)
            pages.next_error += 1
        pages.messages[place] = row


def _picture(row: BulkMessage) -> str:
    image = {
        "type": "image",
        "has_file": True,
        "uuid": row.message_key,
        "name": f"IMG_{row.id % 10_000:04d}.jpg",
        "mime_type": "image/jpeg",
        "size": 40_000 + row.id % 900_000,
        "download_url": None,
        "public_download_url": f"https://files.example.com/{row.message_key}",
        "caption": row.text,
    }
    return orjson.dumps([image]).decode()
