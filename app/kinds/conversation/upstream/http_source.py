"""The connector of systems that send deliveries in our format."""

from typing import TYPE_CHECKING

from app.connections.model import mirrored_key
from app.connections.repository import ConnectedSystemRepository
from app.connections.signing import StandardWebhooks
from app.core.actor import SYSTEM
from app.core.errors import AlreadyExists, InvalidInput, NotFound, Unreachable
from app.core.ids import GlobalId, parse_id, require_id
from app.directory import service as directory
from app.directory.model import Channel, Customer, CustomerChanges, NewCustomer
from app.directory.repository import UserRepository
from app.directory.service.editing import customers_of
from app.interactions.connector import About, Mapped, Settings, Unmappable
from app.interactions.repository.messages import MessageRepository
from app.interactions.service import deliveries
from app.interactions.service.recorded import Elsewhere, record_message
from app.interactions.service.state import add_labels, remove_labels
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.model.conversation import NAME, PREFIX
from app.kinds.conversation.model.conversation import SYSTEM as CUSTOMERS
from app.kinds.conversation.repository import ChannelAgentRepository, ConversationRepository
from app.kinds.conversation.service import create_channel_agent
from app.kinds.conversation.upstream import delivery as shapes
from app.kinds.conversation.upstream.delivery import named_customer, read_delivery

if TYPE_CHECKING:
    from app.storage.work import Work

ACCOUNT = "channelAgentId"
"""The setting that names the channel agent whose conversations the deliveries fill."""


class HttpSource:
    """Deliveries about a customer become the conversation of the connection's channel agent with that customer."""

    system = "HTTP"
    description = "Any system that sends signed deliveries in the format of docs/connections.md."

    signature = StandardWebhooks()
    remote = None

    def prepared(self, work: "Work", connection_id: int, name: str, given: Settings) -> Settings:
        unknown = sorted(given.keys() - {ACCOUNT})
        if unknown:
            raise InvalidInput(f"There is no such setting. The only setting is {ACCOUNT}.", path=(unknown[0],))
        wanted = given.get(ACCOUNT)
        if wanted is None:
            new = {"channel": Channel.BRIDGE, "display_id": f"con_{connection_id}", "name": name}
            return {ACCOUNT: str(GlobalId("cha", create_channel_agent(work, SYSTEM, new).id))}
        if not isinstance(wanted, str):
            raise InvalidInput("This takes the id of a channel agent.", path=(ACCOUNT,))
        ref = require_id(wanted, "cha", path=(ACCOUNT,))
        if work.use(ChannelAgentRepository).get(ref.number, for_update=True) is None:
            raise NotFound(f"There is no channel agent {ref}.", path=(ACCOUNT,))
        others = work.use(ConnectedSystemRepository).all_kept()
        if any(each.settings.get(ACCOUNT) == wanted for each in others if each.id != connection_id):
            raise AlreadyExists("Another connection has this channel agent.", path=(ACCOUNT,))
        return {ACCOUNT: wanted}

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        return [] if _account(work, settings) else ["The channel agent of the connection is not there any more."]

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        account = _account(work, settings)
        if account is None:
            raise Unmappable("The channel agent of the connection is not there any more.")
        given = read_delivery(body)
        customer = _customer(work, connection_id, account, given.customer)
        _record(work, account, customer, given)
        conversation = work.use(ConversationRepository).find_of(account.id, customer.id)
        if conversation is None:
            if given.statuses or given.labels is not None:
                raise Unmappable("There is no conversation with this customer yet.", passing=True)
            return None
        for place, status in enumerate(given.statuses):
            _report(work, account, conversation.id, status, f"statuses.{place}")
        ref = GlobalId(PREFIX, conversation.id)
        if given.labels is not None and given.labels.remove:
            remove_labels(work, SYSTEM, ref, given.labels.remove)
        if given.labels is not None and given.labels.add:
            add_labels(work, SYSTEM, ref, given.labels.add)
        return Mapped(conversation.id, given.customer.key)

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        account, given = _account(work, settings), named_customer(body)
        if account is None or given is None:
            return About()
        found = customers_of(work).get_by_key(mirrored_key(connection_id, given.key))
        if found is None and given.display_id is not None:
            found = customers_of(work).get_by_display_id(CUSTOMERS, account.channel, given.display_id)
        return About(given.key, None if found is None else found.id)


def _account(work: "Work", settings: Settings) -> ChannelAgent | None:
    ref = parse_id(str(settings.get(ACCOUNT)))
    return None if ref is None else work.use(ChannelAgentRepository).get(ref.number)


def _customer(work: "Work", connection_id: int, account: ChannelAgent, given: shapes.Customer) -> Customer:
    """The customer of the connection with this key, updated; created when new.

    Two systems may give the same key to different customers, so our key contains the connection as well. A customer
    that is only known by its display id may belong to somebody else too, and is not changed."""
    key = mirrored_key(connection_id, given.key)
    fields = given.fields()
    new = NewCustomer(system=CUSTOMERS, channel=account.channel, customer_key=key, **fields)  # type: ignore[typeddict-item]
    try:
        met = directory.meet_customer(work, SYSTEM, new)
        if met.customer_key != key:
            return met
        changes: CustomerChanges = {name: value for name, value in fields.items() if name != "display_id"}  # type: ignore[assignment]
        return directory.update_customer(work, SYSTEM, f"cus_{met.id}", changes)
    except InvalidInput as error:
        error.path = ("customer", *error.path)
        raise


def _record(work: "Work", account: ChannelAgent, customer: Customer, given: shapes.Delivery) -> None:
    """Store the messages that are new, in the order in which they were sent."""
    target = {"kind": NAME, "customer_id": customer.id, "channel_agent_id": account.id}
    channel = str(GlobalId("cha", account.id))
    placed = sorted(enumerate(given.messages), key=lambda each: each[1].sent_at)
    for place, message in placed:
        if message.id is not None:
            conversation = work.use(ConversationRepository).find_of(account.id, customer.id)
            _ours(work, None if conversation is None else conversation.id, message.id, f"messages.{place}")
            continue
        if not message.key:
            raise Unmappable(f"messages.{place} has neither key nor id.")
        if work.use(MessageRepository).received(channel, message.key) is not None:
            continue
        elsewhere = Elsewhere(
            key=message.key,
            author=message.stored_author,
            sent_at=message.sent_at,
            status=message.stored_status,
            user_id=_user(work, message.user),
            error=message.stored_error,
        )
        try:
            record_message(work, SYSTEM, target, message.stored_contents, elsewhere, imported=given.imported)
        except Unreachable:
            # A blocked profile refuses all messages, and parking them would fill the inbox.
            continue
        except InvalidInput as error:
            error.path = ("messages", place, *error.path)
            raise


def _report(work: "Work", account: ChannelAgent, conversation_id: int, given: shapes.Status, at: str) -> None:
    if given.id is not None:
        ref = _ours(work, conversation_id, given.id, at)
    elif given.key is not None:
        found = work.use(MessageRepository).get_by_key(str(GlobalId("cha", account.id)), given.key)
        if found is None:
            raise Unmappable(f"{at} is about a message that has not arrived.", passing=True)
        ref = _ours(work, conversation_id, str(GlobalId("msg", found.id)), at)
    else:
        raise Unmappable(f"{at} has neither key nor id.")
    deliveries.report_message_status(work, SYSTEM, ref, given.stored_status, error=given.stored_error)


def _ours(work: "Work", conversation_id: int | None, given: str, at: str) -> GlobalId:
    """The message with this id of ours. It must belong to this conversation: a delivery is about one customer, and a
    reference to another customer's message is a mistake."""
    ref = parse_id(given)
    found = None if ref is None or ref.prefix != "msg" else work.use(MessageRepository).get(ref.number)
    if ref is None or found is None or found.interaction_id != conversation_id:
        raise Unmappable(f"{at} names a message that is none of this customer's.")
    return ref


def _user(work: "Work", login: str | None) -> int | None:
    """The surrogate of the user with this login; None when it is unknown here."""
    found = None if login is None else work.use(UserRepository).get_by_login(login)
    return None if found is None else found.id
