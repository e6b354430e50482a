"""Updates Sessions here from what the messaging bot has."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.connections.model import mirrored_key
from app.connections.model.settings import page_of
from app.connections.repository import MirroredRepository
from app.connections.service.taking import Taking
from app.core.actor import CONNECTION
from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.directory import service as directory
from app.directory.model import CustomerChanges, NewCustomer
from app.directory.model.customer import CHANGEABLE
from app.interactions.connector import Mapped, Settings, Unmappable
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import Command
from app.interactions.remote import HINT, Kept
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import load, open_interaction, write
from app.interactions.service.deliveries import report_message_status
from app.interactions.service.recorded import Elsewhere
from app.kinds.session.model import (
    NAME,
    PREFIX,
    SYSTEM,
    Session,
    Suggestion,
    flagged,
    replaced_suggestions,
)
from app.kinds.session.repository import SessionRepository
from app.kinds.session.service import mirroring
from app.kinds.session.upstream.dirty_lemon import shapes
from app.kinds.session.upstream.dirty_lemon.client import CURRENT_LASTS, Read

if TYPE_CHECKING:
    from app.storage.work import Work

_SOONEST, _LATEST = timedelta(seconds=10), timedelta(minutes=10)
_FIELDS = ("email", "first_name", "last_name", "country_code", "time_zone")


def apply_read(work: "Work", connection_id: int, settings: Settings, read: Read, kept: Kept) -> Mapped | None:
    """Update our session from what was read. None when all of it was erased here. See `Remote.apply`."""
    mapped = _taken_in(work, connection_id, settings, read, kept)
    places = work.use(MirroredRepository)
    # The customer has begun another one since. Its read locks the customer before it clears its mark: if the mark came
    # first here, the two reads would wait for each other.
    if read.newest != shapes.key_of(read.session) and places.place(connection_id, read.newest) is None:
        places.mark(connection_id, read.newest, f"{HINT}newer", work.now, quiet=False)
    return mapped


def _taken_in(work: "Work", connection_id: int, settings: Settings, read: Read, kept: Kept) -> Mapped | None:
    there, key = read.session, shapes.key_of(read.session)
    messages = sorted(there.messages or [], key=lambda each: each.sent_at)
    latest = max((each.sent_at for each in messages), default=there.created_at)
    again = None if read.newest != key else min(max((work.now - latest) / 4, _SOONEST), _LATEST)
    if kept.forgotten_at is not None:
        forgotten_at = kept.forgotten_at
        messages = [each for each in messages if each.sent_at > forgotten_at]
        if not messages:
            return None
    ref = _session(work, connection_id, key, read)
    is_current = latest + CURRENT_LASTS > work.now
    answered = max((at for at, each in enumerate(messages) if each.author is not MessageAuthor.CUSTOMER), default=-1)
    taking = Taking(work, ref)
    new = taking.new(NAME, [each.id for each in messages])
    for at, message in enumerate(messages):
        if message.id in new:
            asks = message.sent_at >= kept.live_since or (is_current and at > answered)
            _take(taking, message, asks=asks)
        else:
            _update(work, ref, message)
    taking.finish()
    _bring(work, ref, there, kept.shared, is_current=is_current)
    return Mapped(ref.number, key, page_of(settings, there.id), again)


def _take(taking: Taking, given: shapes.Message, *, asks: bool) -> None:
    """Store a message that is not here."""
    if given.author is not MessageAuthor.CUSTOMER and taking.is_ours(given.text, given.id):
        return
    elsewhere = Elsewhere(key=given.id, author=given.author, sent_at=given.sent_at, status=given.status)
    taking.take([{"type": "text", "content": given.text}], elsewhere, asks=asks)


def _update(work: "Work", ref: GlobalId, given: shapes.Message) -> None:
    """Update a message that is here, or was."""
    known = work.use(MessageRepository).get_by_key(NAME, given.id)
    if known is None:
        return
    if known.interaction_id != ref.number:
        raise Unmappable("Two sessions have a message of one id.")
    if known.author is not MessageAuthor.CUSTOMER and given.status is MessageStatus.DELIVERED is not known.status:
        report_message_status(work, CONNECTION, GlobalId("msg", known.id), given.status)


def _bring(work: "Work", ref: GlobalId, there: shapes.Session, shared: frozenset[str], *, is_current: bool) -> None:
    """Set the fields to those of the other system, the shared ones only while no write of them is pending. Once a
    session is over there, only we decide whether it needs a human."""
    before: Session = load(work, CONNECTION, ref)
    after = before
    if mirroring.FLAG not in shared and (is_current or there.need_attention):
        after = flagged(after, there.need_attention)
    if mirroring.TAGS not in shared:
        after = replace(after, tags=there.words("tags"))
    if mirroring.TOPICS not in shared:
        after = replace(after, topics=there.words("topics"))
    if mirroring.SUGGESTIONS not in shared and there.suggested_messages is not None:
        stored = work.use(SessionRepository).suggestions(before.id)
        given = {each.stored_id: each for each in there.suggested_messages if each.stored_content.strip()}
        wanted = [Suggestion(remote_id=key, content=each.stored_content) for key, each in given.items()]
        replaced = replaced_suggestions(stored, wanted, work.ids.uuid)
        if replaced != stored:
            after = replace(after, suggested_messages=replaced)
    write(work, CONNECTION, before, after, Command.UPDATE)


def _session(work: "Work", connection_id: int, key: str, read: Read) -> GlobalId:
    there, places = read.session, work.use(MirroredRepository)
    customer_id = _customer(work, connection_id, read.customer)
    place = places.place(connection_id, key)
    if place is not None:
        return GlobalId(PREFIX, place.id)
    sessions = work.use(SessionRepository)
    if sessions.has_key(there.id):
        raise Unmappable("Another Session has this id.")
    new = Session(
        id=0,
        customer_id=customer_id,
        session_key=there.id,
        need_attention=there.need_attention,
        bot_active=not there.need_attention,
        tags=there.words("tags"),
        topics=there.words("topics"),
        created_at=min(there.created_at, work.now),
        updated_at=work.now,
    )
    number = open_interaction(work, CONNECTION, new, sessions.add).id
    places.note(number, connection_id, key, work.now)
    return GlobalId(PREFIX, number)


def _customer(work: "Work", connection_id: int, given: shapes.Customer) -> int:
    """The surrogate of the customer, updated if it belongs to this connection. Invalid values are left out."""
    fields = {name: value for name in _FIELDS if (value := _fitting(name, getattr(given, name))) is not None}
    number = _fitting("phone_number", given.phone_number)
    key = mirrored_key(connection_id, given.id)
    new: NewCustomer = {"system": SYSTEM, "customer_key": key, **fields}  # type: ignore[typeddict-item]
    if number is not None:
        new["phone_number"] = number
    met = directory.meet_customer(work, CONNECTION, new)
    if met.customer_key == key:
        changes: CustomerChanges = fields  # type: ignore[assignment]
        directory.update_customer(work, CONNECTION, f"cus_{met.id}", changes)
        if met.unsubscribed is not given.unsubscribed:
            change = directory.unsubscribe_customer if given.unsubscribed else directory.subscribe_customer
            change(work, CONNECTION, f"cus_{met.id}")
    return met.id


def _fitting(name: str, value: str | None) -> Any:
    try:
        return None if value is None else CHANGEABLE[name](value, (name,))
    except InvalidInput:
        return None
