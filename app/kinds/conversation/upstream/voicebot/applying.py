"""Updates conversations here from what the messaging bot has."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.connections.model import mirrored_key
from app.connections.model.settings import login_of, page_of
from app.connections.service.notes import Theirs, take_notes
from app.connections.service.outbox import overtaken
from app.connections.service.taking import Taking
from app.core.actor import CONNECTION
from app.core.errors import Unreachable
from app.core.ids import GlobalId
from app.directory import service as directory
from app.directory.model import Channel, CustomerChanges, NewCustomer
from app.directory.repository import UserRepository
from app.interactions.connector import Mapped, Settings
from app.interactions.messages import Message as Stored
from app.interactions.messages import MessageAuthor, MessageError, MessageErrorType, MessageStatus
from app.interactions.model import Command, State
from app.interactions.remote import Kept
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.assigning import active_user
from app.interactions.service.change import load, write
from app.interactions.service.deliveries import report_message_status, set_reaction
from app.interactions.service.messages import mark_read, opened
from app.interactions.service.recorded import Elsewhere
from app.kinds.conversation.model.channel_agent import ChannelAgent, ChannelAgentChanges
from app.kinds.conversation.model.conversation import NAME, PREFIX, Conversation, Status, with_status
from app.kinds.conversation.model.conversation import SYSTEM as CUSTOMERS
from app.kinds.conversation.repository import ChannelAgentRepository
from app.kinds.conversation.service.channel_agents import create_channel_agent, update_channel_agent
from app.kinds.conversation.service.mirroring import ASSIGNEE, REACTION, READ, STATUS
from app.kinds.conversation.upstream.voicebot import shapes
from app.kinds.conversation.upstream.voicebot.client import Read

if TYPE_CHECKING:
    from app.storage.work import Work

_NO_REASON = "The other system gives no reason."


def apply_read(work: "Work", connection_id: int, settings: Settings, read: Read, kept: Kept) -> Mapped | None:
    """Update our conversation from what was read. None when all of it was erased here. See `Remote.apply`."""
    there, notes = read.conversation, read.notes
    messages = sorted(read.messages, key=lambda each: each.id)
    if kept.forgotten_at is not None:
        forgotten_at = kept.forgotten_at
        messages = [each for each in messages if each.sent_at > forgotten_at]
        notes = [each for each in notes if each.created_at is not None and each.created_at > forgotten_at]
        if not messages:
            return None
    account = _account(work, connection_id, there)
    customer_id = _customer(work, connection_id, there)
    target = {"kind": NAME, "customer_id": customer_id, "channel_agent_id": account.id}
    number = opened(work, CONNECTION, target, imported=True).id
    ref = GlobalId(PREFIX, number)
    taking = Taking(work, ref)
    new = _new(work, taking, account, messages, kept)
    asked = _taken_in(work, taking, settings, new, _asking(there, messages, kept.live_since))
    shared = kept.shared
    if asked and STATUS in shared:
        # The customer has written since it got another status here, which that command did not know.
        overtaken(work, number, STATUS)
        shared = shared - {STATUS}
    if there.unread_customer_messages_count == 0 and READ not in shared:
        mark_read(work, CONNECTION, ref)
    _bring(work, settings, ref, there, shared)
    take_notes(work, ref, [Theirs(str(each.id), each.text, each.created_at) for each in notes], shared)
    return Mapped(number, str(there.id), page_of(settings, str(there.id)))


def _asking(there: shapes.Conversation, messages: list[shapes.Message], live_since: datetime) -> frozenset[int]:
    """The numbers of the messages that may ask for a human. One from before the connection may only while it is still
    to be answered; otherwise it is history."""
    answered = max((each.id for each in messages if each.author != "customer"), default=0)
    is_open = there.stored_status is not Status.DONE
    return frozenset(each.id for each in messages if each.sent_at >= live_since or (is_open and each.id > answered))


def _new(
    work: "Work", taking: Taking, account: ChannelAgent, given: list[shapes.Message], kept: Kept
) -> list[shapes.Message]:
    """The messages that are not here. The others are updated."""
    channel, messages = str(GlobalId("cha", account.id)), work.use(MessageRepository)
    new = taking.new(channel, [str(each.id) for each in given])
    for each in given:
        known = None if str(each.id) in new else messages.get_by_key(channel, str(each.id))
        if known is not None:
            _update(work, known, each, kept)
    return [each for each in given if str(each.id) in new]


def _taken_in(
    work: "Work", taking: Taking, settings: Settings, new: list[shapes.Message], asking: frozenset[int]
) -> bool:
    """Store the messages. Returns whether the customer asks for a human with one of them."""
    asked = False
    try:
        for each in new:
            author, asks = each.stored_author, each.id in asking
            if author is MessageAuthor.USER and taking.is_ours(each.text, str(each.id)):
                continue
            elsewhere = Elsewhere(
                key=str(each.id),
                author=author,
                sent_at=each.sent_at,
                status=each.stored_status,
                user_id=None if each.user_id is None else _named(work, settings, each.user_id),
                error=_error(each),
            )
            taking.take(each.stored_contents, elsewhere, asks=asks)
            asked = asked or (asks and author is MessageAuthor.CUSTOMER)
        taking.finish()
    except Unreachable:
        pass  # A blocked profile refuses all messages.
    return asked


def _update(work: "Work", known: Stored, given: shapes.Message, kept: Kept) -> None:
    """Update the delivery of a message that is here already."""
    ref, status = GlobalId("msg", known.id), given.stored_status
    if known.author is not MessageAuthor.CUSTOMER and status is not known.status:
        report_message_status(work, CONNECTION, ref, status, error=_error(given))
    if given.agent_reaction != known.agent_reaction and f"{REACTION}:{known.id}" not in kept.shared:
        set_reaction(work, CONNECTION, ref, given.agent_reaction)
    if given.customer_reaction != known.customer_reaction:
        set_reaction(work, CONNECTION, ref, given.customer_reaction, of_customer=True)


def _bring(work: "Work", settings: Settings, ref: GlobalId, there: shapes.Conversation, shared: frozenset[str]) -> None:
    """Set the fields to those of the other system, the shared ones only while no write of them is pending."""
    before: Conversation = load(work, CONNECTION, ref)
    after = before
    if STATUS not in shared and there.stored_status is not before.status:
        after = with_status(after, there.stored_status)
    if ASSIGNEE not in shared:
        holder = None if there.user is None else _user(work, settings, there.user)
        if holder != after.assignee_id:
            holder = active_user(work, holder)
            after = replace(after, assignee_id=holder, claimed_until=None, answered_lease=None, lease_answer_id=None)
    after = replace(
        after,
        snooze_until=None if after.status is Status.DONE else there.snooze_until,
        last_customer_reply_from=there.last_customer_reply_from,
        reply_until=there.reply_until,
        customer_interaction_required=there.customer_interaction_required,
    )
    if before.state is not State.SNOOZED and before.snooze_until == after.snooze_until:
        after = replace(after, snooze_until=before.snooze_until)
    write(work, CONNECTION, before, after, Command.UPDATE)


def _account(work: "Work", connection_id: int, there: shapes.Conversation) -> ChannelAgent:
    agents, given = work.use(ChannelAgentRepository), there.agent
    channel, display_id = there.stored_channel, f"con_{connection_id}:{given.display_id}"
    found = agents.get_by_display_id(channel, display_id)
    if found is None:
        new = {"channel": channel, "display_id": display_id, "name": given.name, "in_sync": given.in_sync}
        return create_channel_agent(work, CONNECTION, new)
    changes = ChannelAgentChanges(name=given.name, in_sync=given.in_sync)
    return update_channel_agent(work, CONNECTION, GlobalId("cha", found.id), changes)


def _customer(work: "Work", connection_id: int, there: shapes.Conversation) -> int:
    """The surrogate of the customer, updated if it belongs to this connection."""
    given = there.customer
    key = mirrored_key(connection_id, f"conversation {there.id}" if given is None else str(given.id))
    fields = {} if given is None else _fields(there.stored_channel, given)
    new = NewCustomer(system=CUSTOMERS, channel=there.stored_channel, customer_key=key, **fields)  # type: ignore[typeddict-item]
    met = directory.meet_customer(work, CONNECTION, new)
    if met.customer_key == key:
        changes: CustomerChanges = {name: value for name, value in fields.items() if name != "display_id"}  # type: ignore[assignment]
        directory.update_customer(work, CONNECTION, f"cus_{met.id}", changes)
    return met.id


def _fields(channel: Channel, given: shapes.Customer) -> dict[str, str]:
    profile = given.profile or shapes.Profile()
    found = {
        "name": given.name or profile.name,
        "display_id": given.display_id,
        "phone_number": profile.phone_number,
        "email": profile.email,
    }
    return {name: value for name, value in found.items() if value}


def _user(work: "Work", settings: Settings, given: shapes.User) -> int | None:
    """Our user for theirs: by the settings, or the one with the same e-mail address. None when we have no such user."""
    named = _named(work, settings, given.id)
    if named is not None or given.email is None:
        return named
    found = [each.id for each in work.use(UserRepository).list_by_email(given.email) if each.active]
    return found[0] if len(found) == 1 else None


def _named(work: "Work", settings: Settings, there: int) -> int | None:
    """Our user to whom the setting `users` gives this number of theirs."""
    login = login_of(settings, there)
    user = None if login is None else work.use(UserRepository).get_by_login(login)
    return None if user is None else user.id


def _error(given: shapes.Message) -> MessageError | None:
    if given.stored_status is not MessageStatus.ERROR:
        return None
    said = None if given.latest_error is None else given.latest_error.original_message
    return MessageError(type=MessageErrorType.STATUS_UPDATE, original_message=(said or "").strip() or _NO_REASON)
