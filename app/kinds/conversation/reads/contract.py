"""Reads only for the REST contract: offset pages, and nested paths."""

from collections.abc import Callable, Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.directory.model.user import ADMIN
from app.directory.tables import app_user, customer
from app.interactions.reads.sight import only, seen_by_key, seen_of_kind
from app.interactions.tables import interaction, message, message_error, note
from app.kinds.conversation.model.conversation import NAME, SYSTEM
from app.kinds.conversation.reads.mapping import READ, SEES
from app.kinds.conversation.tables import conversation
from app.selection.catalogue import FieldFacts, TypeFacts
from app.selection.mapping import Bind, Env, Permissions, Read, RootMany, RootOne, RootSteps, Scope, Sql

Reading = Generator[Any, Sequence[Any], Mapping[str, object] | None]
Select = Callable[[Permissions], sa.Select[Any]]

_DIRECTORY = "directory:read"
_OF_KIND = interaction.c.kind == sa.literal_column(f"'{NAME}'")
_SYSTEM = customer.c.system == sa.literal_column(f"'{SYSTEM}'")
_CONVERSATION_ID: sa.BindParameter[int] = sa.bindparam("conversation_id", type_=sa.Integer)
_INTERACTION: sa.BindParameter[int] = sa.bindparam("interaction_id", type_=sa.BigInteger)


def _named(permissions: Permissions) -> sa.Select[Any]:
    found = sa.select(conversation.c.id).where(conversation.c.conversation_id == _CONVERSATION_ID)
    return only(found, seen_by_key(permissions, conversation.c.id, NAME))


def _conversations(permissions: Permissions) -> sa.Select[Any]:
    found = only(sa.select(interaction.c.id).where(_OF_KIND), seen_of_kind(permissions, interaction, NAME))
    return found.order_by(interaction.c.active_at.desc(), interaction.c.id.desc())


def _messages(_permissions: Permissions) -> sa.Select[Any]:
    found = sa.select(message.c.id).where(message.c.interaction_id == _INTERACTION)
    return found.order_by(message.c.sent_at.desc(), message.c.id.desc())


def _notes(_permissions: Permissions) -> sa.Select[Any]:
    found = sa.select(note.c.id).where(note.c.interaction_id == _INTERACTION)
    return found.order_by(note.c.created_at.desc(), note.c.id.desc())


def _customers(_permissions: Permissions) -> sa.Select[Any]:
    return sa.select(customer.c.id).where(_SYSTEM).order_by(customer.c.id)


def _customer() -> sa.Select[Any]:
    key: sa.BindParameter[int] = sa.bindparam("customer_id", type_=sa.BigInteger)
    return sa.select(customer.c.id).where(_SYSTEM, customer.c.id == key)


def _readers() -> sa.Select[Any]:
    """Active users who may read conversations, all or some of them, and are not admins."""
    roles, permissions = sa.cast(app_user.c.roles, sa.Text), sa.cast(app_user.c.permissions, sa.Text)
    found = sa.select(app_user.c.id).where(
        app_user.c.active,
        sa.not_(roles.like(f'%"{ADMIN}"%')),
        sa.or_(*(permissions.like(f'%"{READ}{form}"%') for form in ("", ":team", ":own"))),
    )
    return found.order_by(app_user.c.id)


def _page_of(select: Select) -> Select:
    limit, offset = sa.bindparam("limit", type_=sa.Integer), sa.bindparam("offset", type_=sa.BigInteger)
    return lambda permissions: select(permissions).limit(limit).offset(offset)


def _count_of(select: Select) -> Select:
    return lambda permissions: sa.select(sa.func.count()).select_from(select(permissions).order_by(None).subquery())


def _paged(name: str, select: Select, *, within: bool = False) -> Callable[..., Reading]:
    """`limit` rows from `offset`, and how many there are. `within` is a conversation that may not exist."""
    page, count = _page_of(select), _count_of(select)

    def steps(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
        of, sees = {}, read.permissions
        if within:
            known = yield read.query("conversation", lambda: _named(sees), conversation_id=arguments["conversation_id"])
            if not known:
                return None
            of = {"interaction_id": known[0][0]}
        rows = yield read.query(name, lambda: page(sees), limit=arguments["limit"], offset=arguments["offset"], **of)
        total = yield read.query(f"{name} in all", lambda: count(sees), **of)
        return {name: [row[0] for row in rows], "total": total[0][0]}

    return steps


def _users(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    known = yield read.query("customer", _customer, **arguments)
    if not known:
        return None
    rows = yield read.query("readers", _readers)
    return {"users": [row[0] for row in rows]}


def _within(type_name: str) -> RootOne:
    """The row with the surrogate `id`, if it belongs to the conversation with the number `conversation_id`."""

    def where(scope: Scope, bind: Bind) -> Sql:
        named = conversation.c.conversation_id == bind("conversation_id", sa.Integer)
        interaction_id = sa.select(conversation.c.id).where(named).scalar_subquery()
        return sa.and_(scope.c.id == bind("id", sa.BigInteger), scope.c.interaction_id == interaction_id)

    return RootOne(type_name, where, lambda _env, arguments: arguments, requires=SEES)


def _error(permissions: Permissions) -> sa.Select[Any]:
    of_message = message_error.c.message_id == sa.bindparam("message_id", type_=sa.BigInteger)
    return (
        sa.select(message_error.c.id)
        .join(message, message.c.id == message_error.c.message_id)
        .where(message_error.c.id == sa.bindparam("id", type_=sa.BigInteger), of_message)
        .where(message.c.interaction_id == _named(permissions).scalar_subquery())
    )


def _error_of_message(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Reading:
    """The error with the surrogate `id`, if it belongs to the message, and the message to the conversation."""
    rows = yield read.query("error", lambda: _error(read.permissions), **arguments)
    return {"error": rows[0][0]} if rows else None


def _page_facts(name: str, type_name: str) -> TypeFacts:
    return TypeFacts({name: FieldFacts(type_name, False, True), "total": FieldFacts("Int", False, False)})


CONTRACT_ROOTS: Mapping[str, RootOne | RootMany | RootSteps] = MappingProxyType(
    {
        "conversationContractConversations": RootSteps(
            "ConversationContractConversations", _paged("conversations", _conversations), requires=SEES
        ),
        "conversationContractMessages": RootSteps(
            "ConversationContractMessages", _paged("messages", _messages, within=True), requires=SEES
        ),
        "conversationContractNotes": RootSteps(
            "ConversationContractNotes", _paged("notes", _notes, within=True), requires=SEES
        ),
        "conversationContractCustomers": RootSteps(
            "ConversationContractCustomers", _paged("customers", _customers), requires=_DIRECTORY
        ),
        "conversationContractUsers": RootSteps("ConversationContractUsers", _users, requires=_DIRECTORY),
        "conversationContractMessage": _within("Message"),
        "conversationContractNote": _within("Note"),
        "conversationContractError": RootSteps("ConversationContractError", _error_of_message, requires=SEES),
    }
)

CONTRACT_TYPES: Mapping[str, TypeFacts] = MappingProxyType(
    {
        "ConversationContractConversations": _page_facts("conversations", "Conversation"),
        "ConversationContractMessages": _page_facts("messages", "Message"),
        "ConversationContractNotes": _page_facts("notes", "Note"),
        "ConversationContractCustomers": _page_facts("customers", "Customer"),
        "ConversationContractError": TypeFacts({"error": FieldFacts("MessageError", False, False)}),
        "ConversationContractUsers": TypeFacts({"users": FieldFacts("User", False, True)}),
    }
)
