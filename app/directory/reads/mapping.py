"""Maps the directory's part of the graph to the tables."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.core.actor import permission_name
from app.core.errors import InvalidInput
from app.core.ids import require_id
from app.core.telephone import number_terms
from app.core.text import search_terms
from app.directory.model.user import MANAGE
from app.directory.reads.grants import GRANTS_OF_KEY, grants_field, identities_field
from app.directory.reads.grants import MAPPINGS as OF_GRANTS
from app.directory.reads.history import MAPPINGS as OF_HISTORIES
from app.directory.reads.history import history_field
from app.directory.reads.searching import begins
from app.directory.reads.sessions import MAPPING as OPEN_SESSION
from app.directory.reads.sessions import sessions_field
from app.directory.reads.teams import MAPPING as TEAM
from app.directory.reads.teams import OF_USER
from app.directory.reads.teams import ROOTS as TEAM_ROOTS
from app.directory.tables import (
    api_key,
    app_user,
    app_user_word,
    customer,
    customer_word,
    profile,
    profile_word,
)
from app.selection.mapping import (
    Bind,
    Column,
    Computed,
    Env,
    FieldMap,
    Filter,
    HiddenFields,
    Inline,
    InlineMap,
    Many,
    Mapped,
    One,
    Order,
    Root,
    RootMany,
    RootOne,
    Scope,
    Sql,
    TypeMap,
    by_id,
    by_value,
    equals,
    keyed,
    reference,
)
from app.storage.constructs import TextList, texts

READ = "directory:read"

_NEWEST = {"NEWEST": Order(lambda scope: (scope.c.id,), descending=True)}
_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}
OLDEST_USERS: Mapping[str, Order] = MappingProxyType(_OLDEST)
"""The only order of lists of users."""


def _guarded(*columns: str) -> dict[str, FieldMap]:
    """Fields that are null without the permission to read the directory."""

    def field(name: str) -> tuple[str, FieldMap]:
        head, *rest = name.split("_")
        graph_name = head + "".join(part.capitalize() for part in rest)
        return graph_name, Column(lambda scope: getattr(scope.c, name), requires=READ)

    return dict(map(field, columns))


class _Terms(Enum):
    """How many terms a search has, and which of them must match."""

    ONE = auto()
    ALL = auto()
    ANY = auto()


def _search(words: sa.Table) -> Filter:
    """Every word of the argument is a word of the row; the last may be the beginning of one. Or one of the row's
    telephone numbers begins or ends with it."""

    def clause(scope: Scope, bind: Any, shape: _Terms) -> Sql:
        entry = words.alias("entry")
        if shape is _Terms.ONE:
            term = bind(sa.Text())
            return _among(scope, sa.select(entry.c.owner_id).where(*begins(entry, term)))
        wanted = bind(TextList())
        terms = texts(wanted, "term")
        found = sa.select(entry.c.owner_id).select_from(terms.join(entry, sa.and_(*begins(entry, terms.c.text))))
        if shape is _Terms.ALL:
            found = found.group_by(entry.c.owner_id).having(
                sa.func.count(terms.c.text.distinct())
                == sa.select(sa.func.count()).select_from(texts(wanted, "each_term")).scalar_subquery()
            )
        return _among(scope, found)

    def value(text: str) -> object:
        found = number_terms(text) or search_terms(text)
        return found[0] if len(found) == 1 else found

    def shape(text: str) -> _Terms:
        numbers = number_terms(text)
        if len(numbers or search_terms(text)) == 1:
            return _Terms.ONE
        return _Terms.ANY if numbers else _Terms.ALL

    return Filter(clause, value, shape)


def _among(scope: Scope, owners: sa.Select[Any]) -> Sql:
    found: Sql = scope.c.id.in_(owners)
    return found


def _names(_env: Env, permissions: Sequence[str] | None) -> list[str] | None:
    """Stored permissions by their names in the graph, in the order in which they were given."""
    return None if permissions is None else [permission_name(each) for each in permissions]


def _permissions(env: Env) -> list[str]:
    return sorted(map(permission_name, env.actor.permissions))


def _is_current(env: Env, key_id: int) -> bool:
    return env.actor.key_id == key_id


USER_FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "search": _search(app_user_word),
        "present": by_value(lambda scope, value: scope.c.present if value else sa.not_(scope.c.present)),
        "active": by_value(lambda scope, value: scope.c.active if value else sa.not_(scope.c.active)),
    }
)
"""The conditions that filter lists of users."""

MAPPINGS: tuple[Mapped, ...] = (
    TEAM,
    *OF_GRANTS,
    OPEN_SESSION,
    *OF_HISTORIES,
    TypeMap(
        "User",
        app_user,
        prefix="usr",
        fields={
            "hiddenFields": HiddenFields(),
            **_guarded("email", "roles"),
            "permissions": Computed(("permissions",), _names, requires=READ),
            "presence": Inline("Presence"),
            "apiKeys": Many("ApiKey", keyed("user_id"), _NEWEST, "NEWEST", inherits=True, requires=MANAGE),
            "teams": OF_USER,
            "grants": grants_field(MANAGE),
            "identities": identities_field(MANAGE),
            "openSessions": sessions_field(MANAGE),
            "history": history_field(MANAGE),
            "sessionsEndedAt": Column(lambda scope: scope.c.sessions_ended_at, requires=MANAGE),
        },
    ),
    InlineMap(
        "Presence",
        fields={
            "present": Column(lambda scope: scope.c.present),
            "changedAt": Column(lambda scope: scope.c.presence_changed_at),
        },
    ),
    TypeMap(
        "ApiKey",
        api_key,
        prefix="key",
        # A user's own keys are reached through `viewer`.
        node_requires=MANAGE,
        fields={
            "hiddenFields": HiddenFields(),
            "user": One("User", lambda scope: scope.c.user_id),
            "madeBy": One("ApiKey", lambda scope: scope.c.made_by_id, requires=MANAGE),
            "permissions": Computed(("permissions",), _names),
            "isCurrent": Computed((lambda scope: scope.c.id,), _is_current, personal=True),
            "grants": GRANTS_OF_KEY,
        },
    ),
    TypeMap(
        "Viewer",
        app_user,
        fields={
            "user": One("User", lambda scope: scope.c.id),
            "apiKey": One("ApiKey", of_caller=lambda actor: actor.key_id),
            "permissions": Computed((), _permissions, personal=True),
            "apiKeys": Many("ApiKey", keyed("user_id"), _NEWEST, "NEWEST", inherits=True),
            "grants": grants_field(),
            "identities": identities_field(),
            "openSessions": sessions_field(),
            "history": history_field(),
        },
    ),
    TypeMap(
        "Customer",
        customer,
        prefix="cus",
        node_requires=READ,
        fields={
            "hiddenFields": HiddenFields(),
            **_guarded(
                *("display_id", "phone_number", "unconfirmed_phone_number", "country_code", "email", "first_name"),
                *("last_name", "time_zone", "tags", "shipping_rate", "billing_address", "shipping_address", "card"),
                *("company_name", "confirmed_at"),
            ),
            "profile": One("Profile", lambda scope: scope.c.profile_id),
        },
    ),
    TypeMap(
        "Profile",
        profile,
        prefix="prf",
        node_requires=READ,
        fields={
            "hiddenFields": HiddenFields(),
            **_guarded(
                *("salutation", "gender", "date_of_birth", "phone_number", "email", "address"),
                *("custom_1", "custom_2", "custom_3", "custom_4", "custom_5"),
            ),
            "customers": Many("Customer", keyed("profile_id"), _OLDEST, "OLDEST", inherits=True, requires=READ),
        },
    ),
)


def _the_caller(env: Env, _arguments: Mapping[str, Any]) -> Mapping[str, object] | None:
    return {"id": env.actor.user_id} if env.actor.user_id else None


def _customer(scope: Scope, bind: Bind) -> Sql:
    return sa.or_(scope.c.id == bind("id", sa.BigInteger), scope.c.customer_key == bind("customer_key", sa.Text))


def _customer_values(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    given, key = arguments.get("id"), arguments.get("customer_key")
    if (given is None) == (key is None):
        raise InvalidInput("Give either id or customerKey.", path=("id",))
    return {"id": None if given is None else require_id(given, "cus").number, "customer_key": key}


ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "viewer": RootOne("Viewer", lambda scope, bind: scope.c.id == bind("id", sa.BigInteger), _the_caller),
        "user": by_id("User", "usr"),
        "users": RootMany("User", OLDEST_USERS, "OLDEST", filters=USER_FILTERS),
        "customer": RootOne("Customer", _customer, _customer_values, requires=READ),
        "customers": RootMany(
            "Customer",
            _NEWEST,
            "NEWEST",
            filters={
                "search": _search(customer_word),
                "system": equals(lambda scope: scope.c.system),
                "profile_id": reference(lambda scope: scope.c.profile_id, "prf"),
            },
            requires=READ,
        ),
        **TEAM_ROOTS,
        "profile": by_id("Profile", "prf", requires=READ),
        "profiles": RootMany("Profile", _NEWEST, "NEWEST", filters={"search": _search(profile_word)}, requires=READ),
    }
)
