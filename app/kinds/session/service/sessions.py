"""Commands on Sessions beyond the shared ones."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.connections.model import parsed_key
from app.connections.repository import ConnectedSystemRepository
from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound, NotSupported
from app.core.ids import GlobalId, require_id
from app.directory.repository import CustomerRepository
from app.directory.service.editing import Ref
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command
from app.interactions.service.change import begin, is_seen, open_interaction, write
from app.interactions.service.messages import Posted, receive_message, send_message
from app.kinds.session import model
from app.kinds.session.events import SuggestedMessageUsed
from app.kinds.session.model import Session, SessionChanges
from app.kinds.session.repository import SessionRepository
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work


_NO_CURRENT = "This customer has no current Session."


def current(work: "Work", customer_id: int) -> Session | None:
    """Lock and read the customer's current Session; None when there is none."""
    return work.use(SessionRepository).current(customer_id, work.now - work.settings.session_window)


def open_for_customer(work: "Work", actor: Actor, customer_id: int) -> Session:
    """The customer's current Session; a new one when there is none.

    Raises Forbidden, NotFound for a customer who does not exist, and NotSupported where a new one would belong to a
    connected system."""
    actor.require_writing(model.NAME)
    found = current(work, customer_id)
    if found is not None:
        return found
    # Two messages at the same moment must not open two Sessions: after locking the customer, the unit looks again.
    customer = work.use(CustomerRepository).get(customer_id, for_update=True)
    if customer is None:
        raise NotFound("There is no such customer.", path=("customer_id",))
    found = current(work, customer_id)
    if found is not None:
        return found
    place = parsed_key(customer.customer_key)
    if place is not None and work.use(ConnectedSystemRepository).kept(place[0]) is not None:
        raise NotSupported("This customer belongs to a connected system. Open its Sessions there.")
    new = Session(
        id=0,
        customer_id=customer_id,
        session_key=work.ids.uuid(),
        bot_active=True,
        created_at=work.now,
        updated_at=work.now,
    )
    return open_interaction(work, actor, new, work.use(SessionRepository).add)


def update(
    work: "Work",
    actor: Actor,
    changes: SessionChanges,
    *,
    ref: Ref | None = None,
    customer_key: str | None = None,
    session_key: str | None = None,
    if_version: int | None = None,
) -> Session:
    """Change a Session: the one with the id, or the current one of the customer with this key. Exactly one is given.

    With a `session_key`, the customer's current Session must be the one with that key.

    Raises InvalidInput, TooLong, NotFound (also for a customer without a current Session), Forbidden,
    VersionConflict."""
    actor.require_writing(model.NAME)
    if (ref is None) == (customer_key is None):
        raise InvalidInput("Give either id or customerKey.", path=("id",))
    found = (
        _current_of_key(work, actor, str(customer_key), session_key)
        if ref is None
        else require_id(str(ref), model.PREFIX)
    )
    before: Session = begin(work, actor, found, Command.UPDATE, if_version=if_version)
    after = model.updated(before, changes)
    if "suggested_messages" in changes:
        stored = work.use(SessionRepository).suggestions(before.id)
        wanted = model.replaced_suggestions(stored, changes["suggested_messages"] or (), work.ids.uuid)
        if wanted != stored:
            after = replace(after, suggested_messages=wanted)
    return write(work, actor, before, after, Command.UPDATE)


def use_suggested_message(
    work: "Work", actor: Actor, ref: Ref, *, idempotency_key: str | None = None
) -> Mapping[str, int]:
    """Count one more use of a suggested message. Returns the surrogates of `suggested_message` and `session`.

    Raises NotFound, Forbidden, KeyReused."""
    repository = work.use(SessionRepository)
    number = require_id(str(ref), "sug").number
    session_id = _session_of(work, actor, number)
    if session_id is None:
        raise NotFound(f"There is no suggested message {ref}.", path=("id",))

    def use() -> Mapping[str, int]:
        session: Session = begin(work, actor, GlobalId(model.PREFIX, session_id), Command.UPDATE)
        count = repository.select_suggestion(number)
        happened = SuggestedMessageUsed(suggested_message=str(ref), selected_count=count)
        write(work, actor, session, session, Command.UPDATE, happened)
        return {"suggested_message": number, "session": session_id}

    return once(work, actor, idempotency_key, ["useSuggestedMessage", number], use)


def use_suggested_message_by_key(work: "Work", actor: Actor, key: str) -> Mapping[str, int]:
    """`use_suggested_message` by the contract's key. Raises NotFound, Forbidden."""
    number = work.use(SessionRepository).suggestion_by_key(key)
    if number is None or _session_of(work, actor, number) is None:
        raise NotFound("There is no suggested message with this key.", path=("id",))
    return use_suggested_message(work, actor, f"sug_{number}")


def _session_of(work: "Work", actor: Actor, suggestion: int) -> int | None:
    """The Session of a suggested message, if the actor sees it."""
    found = work.use(SessionRepository).session_of(suggestion)
    return found if found is not None and _sees(work, actor, found) else None


def _sees(work: "Work", actor: Actor, number: int) -> bool:
    return is_seen(work, actor, GlobalId(model.PREFIX, number), model.NAME)


def post_message(
    work: "Work",
    actor: Actor,
    customer_key: str,
    content: Mapping[str, Any],
    *,
    author: MessageAuthor,
    sent_at: datetime | None = None,
    session_key: str | None = None,
    idempotency_key: str | None = None,
) -> Posted:
    """Add a message to the current Session of the customer with this key, which is opened when there is none.

    With a `session_key`, it must be the Session with that key. A `sent_at` in the future counts as now. Raises
    Forbidden, NotFound, the errors of `receive_message` for a message of the customer, and those of `send_message` for
    any other."""
    actor.require_writing(model.NAME)

    def run() -> tuple[int, ...]:
        if session_key is not None:
            ref = _current_of_key(work, actor, customer_key, session_key)
        else:
            customer = work.use(CustomerRepository).get_by_key(customer_key)
            if customer is None:
                raise NotFound("There is no such customer.", path=("customer_key",))
            ref = GlobalId(model.PREFIX, open_for_customer(work, actor, customer.id).id)
            if not _sees(work, actor, ref.number):
                raise NotFound(_NO_CURRENT, path=("customer_key",))
        if author is MessageAuthor.CUSTOMER:
            return tuple(receive_message(work, actor, {"interaction": ref}, [content], sent_at=sent_at))
        fields = {} if sent_at is None else {"sent_at": min(sent_at, work.now)}
        return tuple(send_message(work, actor, ref, content, author=author, override=True, fields=fields))

    request = ["postMessage", customer_key, session_key, content, author, sent_at]
    return Posted(*once(work, actor, idempotency_key, request, run))


def find_customer(work: "Work", customer_key: str) -> GlobalId | None:
    """The id of the customer with this key in the contract's own system; None when there is none."""
    found = work.use(CustomerRepository).get_by_key(customer_key)
    return None if found is None or found.system != model.SYSTEM else GlobalId("cus", found.id)


def _current_of_key(work: "Work", actor: Actor, customer_key: str, session_key: str | None) -> GlobalId:
    customer = work.use(CustomerRepository).get_by_key(customer_key)
    found = None if customer is None else current(work, customer.id)
    if found is None or not _sees(work, actor, found.id):
        raise NotFound(_NO_CURRENT, path=("customer_key",))
    if session_key is not None and session_key != found.session_key:
        raise NotFound("This is not the customer's current Session.", path=("session_key",))
    return GlobalId(model.PREFIX, found.id)
