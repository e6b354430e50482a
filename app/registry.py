"""The list of kinds; a new kind adds one line."""

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import cast

from app.core.actor import GENERAL_PERMISSIONS, kind_permissions, permission_name
from app.core.events import ANY_KIND, declared_events, topic_name
from app.graph.enums import described
from app.interactions import kind as interactions
from app.interactions.connector import Connector
from app.interactions.graphql.targets import customer_target
from app.interactions.model import SHARED_REASONS
from app.settings import KindSettings

_NAMES = (
    "session",
    "agent_session",
    "chat_session",
    "conversation",
)


def _listed(name: str) -> interactions.InteractionKind:
    found: interactions.InteractionKind = import_module(f"app.kinds.{name}.kind").kind
    return found


KINDS: tuple[interactions.InteractionKind, ...] = tuple(map(_listed, _NAMES))
"""Every kind, in the order of the list above."""

CONNECTORS: Mapping[str, Connector] = {each.system: each for kind in KINDS for each in kind.connectors}
"""The connectors of other systems, by the names of the systems."""

SETTINGS: tuple[type[KindSettings], ...] = tuple(kind.settings for kind in KINDS if kind.settings is not None)
"""The settings of kinds, beside the general ones."""

PERMISSIONS: tuple[str, ...] = (*kind_permissions(kind.name for kind in KINDS), *GENERAL_PERMISSIONS)
"""All existing permissions. An admin has them all."""


def _allowed(kind: str) -> Mapping[str, str]:
    """What each permission for a kind allows."""
    name = kind.upper()
    those = f"interactions of the kind `{name}`"
    return {
        f"{kind}:read": f"See all {those}.",
        f"{kind}:read:team": f"See {those} that belong to the user's teams or to no team.",
        f"{kind}:read:own": f"See {those} that are assigned to the user.",
        f"{kind}:claim": f"With `{name}_READ_OWN` or `{name}_WRITE_OWN`: also unassigned {those} of the user's teams.",
        f"{kind}:write": f"Change all {those}.",
        f"{kind}:write:team": f"Change {those} that belong to the user's teams or to no team.",
        f"{kind}:write:own": f"Change {those} that are assigned to the user.",
    }


_ALLOWED = {
    **{permission: text for kind in KINDS for permission, text in _allowed(kind.name).items()},
    "destinations:manage": "Deliver alerts to other servers, and see and change all destinations.",
    "directory:read": "See all customers and profiles, and the contact data of users.",
    "directory:write": "Change customers and profiles.",
    "users:manage": "Create users and API keys, change their permissions, and revoke them.",
    "teams:manage": "Create teams, and change their members and borders.",
    "connections:manage": "See and change connections to other systems, and the deliveries that failed.",
    "settings:read": "See the settings of the servers, except secrets.",
    "reports:read": "See reports on the interactions that the caller may see.",
}

_DESCRIPTIONS = {kind.name.upper(): kind.description for kind in KINDS}
_REASONS = {
    **{name: text for kind in KINDS for name, text in kind.rules.reasons.items()},
    **SHARED_REASONS,
}

_STATUSES: dict[str, str] = {}
for _kind in KINDS:
    for _name, _text in _kind.statuses.items():
        _STATUSES[_name] = f"{_STATUSES[_name]} {_text}" if _name in _STATUSES else _text


def _enum(name: str, description: str, values: Mapping[str, str]) -> type[StrEnum]:
    made = cast("type[StrEnum]", StrEnum(name, {each: each for each in values}))
    return described(made, description, values)


Permission = described(
    cast("type[StrEnum]", StrEnum("Permission", {permission_name(each): each for each in PERMISSIONS})),
    "What a user or an API key may do. In texts, `DIRECTORY_READ` is written as `directory:read`. New kinds may add "
    "values.",
    {permission_name(each): _ALLOWED[each] for each in PERMISSIONS},
)
"""The enum that app.directory names; its values are PERMISSIONS."""


_OTHER_EVENTS = ("app.destinations.events",)
"""The modules with events that do not belong to a kind."""


def _topics() -> Mapping[str, str]:
    for module in _OTHER_EVENTS:
        import_module(module)
    kinds = {ANY_KIND, *(kind.name for kind in KINDS)}
    found = {}
    for each in declared_events():
        subject = each.topic.partition(".")[0]
        found[topic_name(each.topic, subject if subject in kinds else None)] = str(each.__doc__)
    return found


EventTopic = _enum(
    "EventTopic",
    "What happened, in events and in the history. Interactions of all kinds share topics; `kind` tells them apart. "
    "New kinds may add values.",
    _topics(),
)
"""What app.directory names too; its members are the topics of all events that are declared."""

InteractionKind = _enum("InteractionKind", "The kind of an interaction.", _DESCRIPTIONS)
"""The enum that app.interactions names; its members are those of KINDS, in capitals."""

AttentionReason = _enum("AttentionReason", "Why an interaction needs a human.", _REASONS)
"""The other one; its members are the kinds' reasons and the shared ones."""

CustomerSystem = _enum(
    "CustomerSystem",
    "The system that a customer belongs to.",
    {kind.name.upper(): kind.customers for kind in KINDS},
)
"""The one that app.directory names; its members are those of KINDS, too."""

ConnectionSystem = _enum(
    "ConnectionSystem",
    "The system that a connection leads to. New kinds may add values.",
    {name: each.description for name, each in CONNECTORS.items()},
)
"""The one that app.connections names."""

CustomerTarget = customer_target(target for kind in KINDS for target in kind.targets)
"""The input that app.interactions names; its fields are those of the kinds, beside its own."""

InteractionStatus = _enum(
    "InteractionStatus",
    "The status of an interaction, named as in its kind. New kinds may add values.",
    _STATUSES,
)
"""The third one; its members are the statuses of all kinds."""
