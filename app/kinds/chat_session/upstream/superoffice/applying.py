"""Updates chats here from what SuperOffice has."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from app.connections.model import mirrored_key
from app.connections.model.settings import login_of, page_of
from app.connections.repository import ConnectedSystemRepository, MirroredRepository
from app.connections.service.outbox import overtaken
from app.connections.service.taking import Taking
from app.core.actor import CONNECTION
from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.directory import service as directory
from app.directory.model import CustomerChanges, NewCustomer
from app.directory.repository import UserRepository
from app.interactions.connector import Mapped, Settings
from app.interactions.events import MessageStatusReported
from app.interactions.messages import Message as Stored
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.remote import Kept
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.assigning import active_user
from app.interactions.service.change import load, write
from app.interactions.service.deliveries import change_message
from app.interactions.service.recorded import Elsewhere
from app.kinds.chat_session.model.session import ENDED, FORMS, KIND, PREFIX, QUEUES, ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatTopic
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.mirroring import ACCEPT, FIELD, HANDING, REJECT, STATUS, TRANSFER, brought
from app.kinds.chat_session.service.notices import with_rank
from app.kinds.chat_session.service.requests import open_chat
from app.kinds.chat_session.service.topics import mirrored_topic
from app.kinds.chat_session.upstream.superoffice import shapes
from app.kinds.chat_session.upstream.superoffice.client import Read

if TYPE_CHECKING:
    from app.storage.work import Work

CUSTOMERS = KIND.upper()
"""The system of the customers, as the directory names it."""

_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)

_SAME = timedelta(seconds=2)
_OF_TRANSFER = frozenset({TRANSFER, ACCEPT, REJECT, f"{FIELD}:transfer_to_id"})
_COPIED = (
    "when_requested",
    "when_started",
    "when_ended",
    "when_idle",
    "when_fetched",
    "first_message",
    "last_message",
    "initial_queue_pos",
)


class _Wanted(NamedTuple):
    """A chat as it is there, and what that means here."""

    session: shapes.Session
    topic_id: int
    customer_id: int | None
    status: ChatSessionStatus


def apply_read(work: "Work", connection_id: int, settings: Settings, read: Read, kept: Kept) -> Mapped | None:
    """Update our chat from what was read. None when nothing of it is taken in. See `Remote.apply`."""
    there, messages = read.session, read.messages
    key, places = str(there.chat_session_id), work.use(MirroredRepository)
    if kept.forgotten_at is not None:
        messages = [each for each in messages if each.when_posted is not None and each.when_posted > kept.forgotten_at]
        if not messages:
            return None
    place = places.place(connection_id, key)
    if place is not None and _is_another(work, place.id, there):
        # The other system was restored from a backup, and has given the number to another chat since.
        places.rename(place.id, f"{key} until {work.now:%Y-%m-%dT%H:%M:%SZ}")
        place = None
    if place is None and there.stored_status is ChatSessionStatus.DELETED:
        places.forget(connection_id, key, work.now)
        return None
    topic = _topic(work, connection_id, read)
    customer_id = _customer(work, connection_id, there)
    if place is None:
        number = open_chat(work, CONNECTION, topic, {}, customer_id=customer_id, imported=True).session.id
        places.note(number, connection_id, key, work.now)
    else:
        number = place.id
    ref, shared = GlobalId(PREFIX, number), kept.shared
    wanted = _Wanted(there, topic.id, customer_id, _status(there, kept.live_since))
    channel, taking = work.kinds[KIND].channel_key(load(work, CONNECTION, ref)), Taking(work, ref)
    unknown = taking.new(channel, [str(each.chat_message_id) for each in messages])
    known = [each for each in messages if str(each.chat_message_id) not in unknown]
    new = [each for each in messages if str(each.chat_message_id) in unknown or not _is_known(work, channel, each)]
    if STATUS in shared and any(each.stored_author is MessageAuthor.CUSTOMER for each in new):
        # The customer has written since it got another status here, which that command did not know.
        overtaken(work, number, STATUS)
        shared = shared - {STATUS}
    _bring(work, settings, ref, wanted, shared)
    for message in new:
        _take(work, taking, settings, there, message, asks=_asks(there, messages, message, kept.live_since))
    taking.finish()
    for message in known:
        _note_read(work, channel, message)
    _bring(work, settings, ref, wanted, shared)
    return Mapped(number, key, page_of(settings, key), _again(there, messages, work.now))


def apply_gone(work: "Work", connection_id: int, settings: Settings, key: str) -> Mapped | None:
    """End our chat, which no longer exists there; None when there is none here."""
    place = work.use(MirroredRepository).place(connection_id, key)
    if place is None:
        return None
    before: ChatSession = load(work, CONNECTION, GlobalId(PREFIX, place.id))
    if before.status not in ENDED:
        ended = replace(brought(before, ChatSessionStatus.CLOSED), when_ended=work.now, transfer_to_id=None)
        write(work, CONNECTION, before, with_rank(work, ended), Command.UPDATE)
    return Mapped(place.id, key, page_of(settings, key))


def _again(there: shapes.Session, messages: list[shapes.Message], now: datetime) -> timedelta | None:
    """After how long an active chat is read again, even if nothing says that it has changed. The longer nothing has
    happened, the later."""
    if there.stored_status in ENDED:
        return None
    known = (there.when_requested, there.when_started, *(each.when_posted for each in messages))
    latest = max((each for each in known if each is not None), default=now)
    return min(max((now - latest) / 4, _SOONEST), _LATEST)


def _topic(work: "Work", connection_id: int, read: Read) -> ChatTopic:
    """Our topic for theirs. When two chats are read at once, the second waits until the first has created the topic."""
    key = mirrored_key(connection_id, str(read.session.topic_id))
    found = work.use(ChatTopicRepository).get_by_upstream_key(key)
    if found is None:
        work.use(ConnectedSystemRepository).kept(connection_id, for_update=True)
        return mirrored_topic(work, CONNECTION, key, read.topic or f"Topic {read.session.topic_id}")
    return found


def _is_another(work: "Work", number: int, there: shapes.Session) -> bool:
    """Whether the chat was requested at another time than the one that is here."""
    here: ChatSession = load(work, CONNECTION, GlobalId(PREFIX, number))
    was, is_now = here.when_requested, there.when_requested
    return was is not None and is_now is not None and abs(was - is_now) > _SAME


def _is_known(work: "Work", channel: str, given: shapes.Message) -> bool:
    """Whether the message is here. One with other words and another time had its number before a backup was
    restored."""
    messages, key = work.use(MessageRepository), str(given.chat_message_id)
    known = messages.get_by_key(channel, key)
    if known is None:
        return messages.received(channel, key) is not None
    moved = given.when_posted is not None and abs(known.sent_at - given.when_posted) > _SAME
    if not moved or known.text == given.text:
        return True
    messages.save(known, replace(known, message_key=f"{key} until {work.now:%Y-%m-%dT%H:%M:%SZ}"))
    return False


def _asks(there: shapes.Session, messages: list[shapes.Message], given: shapes.Message, live_since: datetime) -> bool:
    """Whether a message may ask for a human. In an active chat, a message from before the connection may only if nobody
    has answered it."""
    if there.stored_status in ENDED:
        return False
    if given.when_posted is None or given.when_posted >= live_since:
        return True
    answers = (MessageAuthor.USER, MessageAuthor.BOT)
    answered = max((each.chat_message_id for each in messages if each.stored_author in answers), default=0)
    return given.chat_message_id > answered


def _take(
    work: "Work", taking: Taking, settings: Settings, there: shapes.Session, given: shapes.Message, *, asks: bool
) -> None:
    """Store a message, or find that it is one of ours whose arrival was uncertain."""
    key, author = str(given.chat_message_id), given.stored_author
    if author in (MessageAuthor.USER, MessageAuthor.BOT) and taking.is_ours(given.text, key):
        return
    elsewhere = Elsewhere(
        key=key,
        author=author,
        sent_at=given.when_posted or work.now,
        user_id=_writer(work, settings, there, given) if author is MessageAuthor.USER else None,
        fields=given.columns,
    )
    taking.take([{"type": "text", "content": given.text}], elsewhere, asks=asks)


def _note_read(work: "Work", channel: str, given: shapes.Message) -> None:
    """Record that the customer has read a message that is here."""
    known = work.use(MessageRepository).get_by_key(channel, str(given.chat_message_id))
    if known is not None and given.read_by_customer and known.read_by_customer is False:

        def is_read(message: Stored) -> Stored:
            return replace(message, read_by_customer=True, updated_at=work.now)

        ref = GlobalId("msg", known.id)
        change_message(work, CONNECTION, ref, Command.REPORT_STATUS, is_read, MessageStatusReported)


def _bring(work: "Work", settings: Settings, ref: GlobalId, wanted: _Wanted, shared: frozenset[str]) -> None:
    """Set the fields to those of the other system, while no write of them is pending."""
    there, before = wanted.session, load(work, CONNECTION, ref)
    fields: dict[str, Any] = {name: value for name, value in there.fields.items() if f"{FIELD}:{name}" not in shared}
    fields |= {name: getattr(there, name) for name in _COPIED}
    if f"{FIELD}:topic_id" not in shared:
        fields["topic_id"] = wanted.topic_id
    if wanted.customer_id is not None:
        fields["customer_id"] = wanted.customer_id
    if not shared & _OF_TRANSFER:
        fields["transfer_to_id"] = _user(work, settings, there.offered_to)
    after: ChatSession = before
    if STATUS in shared or shared & HANDING:
        for name in ("bot_active", "when_started", "when_ended"):
            fields.pop(name, None)
    else:
        after = brought(after, wanted.status)
        holder = _holder(work, settings, there, before)
        if holder != after.assignee_id:
            holder = active_user(work, holder)
            after = replace(after, assignee_id=holder, claimed_until=None, answered_lease=None, lease_answer_id=None)
    write(work, CONNECTION, before, with_rank(work, replace(after, **fields)), Command.UPDATE)


def _status(there: shapes.Session, live_since: datetime) -> ChatSessionStatus:
    """The status that the chat has here. A request that was posted before the connection no longer asks anybody."""
    found = there.stored_status
    ended = there.when_ended or there.when_requested
    if found is ChatSessionStatus.REQUEST_POSTED and ended is not None and ended < live_since:
        return ChatSessionStatus.CLOSED
    return found


def _holder(work: "Work", settings: Settings, there: shapes.Session, before: ChatSession) -> int | None:
    """The holder of the chat. An active chat that nobody holds there stays with its holder here."""
    if there.holder is not None:
        return _user(work, settings, there.holder)
    return None if there.stored_status in QUEUES | FORMS else before.assignee_id


def _customer(work: "Work", connection_id: int, there: shapes.Session) -> int | None:
    """The surrogate of the customer for the person that the chat is linked to there. None without one."""
    person = there.fields["person"]
    if person is None:
        return None
    key = mirrored_key(connection_id, f"person {person['person_id']}")
    given = {
        "first_name": person.get("firstname"),
        "last_name": person.get("lastname"),
        "name": person.get("full_name") or there.customer_name,
        "email": person.get("email"),
    }
    fields = {name: value for name, value in given.items() if value}
    new = NewCustomer(system=CUSTOMERS, customer_key=key, **fields)  # type: ignore[typeddict-item]
    try:
        met = directory.meet_customer(work, CONNECTION, new)
        changes: CustomerChanges = fields  # type: ignore[assignment]
        directory.update_customer(work, CONNECTION, f"cus_{met.id}", changes)
    except InvalidInput:
        # The address cannot be stored here: the person matters more.
        del new["email"]
        met = directory.meet_customer(work, CONNECTION, new)
    return met.id


def _user(work: "Work", settings: Settings, there: shapes.Associate | None) -> int | None:
    """Our user for theirs: by the setting `users`, or else the one with the same login. None when we have no such
    user."""
    if there is None:
        return None
    login = None if there.associate_id is None else login_of(settings, there.associate_id)
    user = work.use(UserRepository).get_by_login(login or there.name or "")
    return user.id if user is not None and user.active else None


def _writer(work: "Work", settings: Settings, there: shapes.Session, given: shapes.Message) -> int | None:
    """The author of a message, which only has a name: the user who holds the chat, if the name matches."""
    holder = there.holder
    if holder is None or given.author not in (holder.name, holder.full_name):
        return None
    return _user(work, settings, holder)
