"""Where permissions come from, by plain resolvers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.clock import rfc3339
from tests.graph.state import Row
from tests.oracle.basics import asking, permission_names, ref


def _name(permission: str | None) -> str | None:
    named = permission_names(None if permission is None else [permission])
    return None if named is None else named[0]


def _grant(permission: str | None, source: str, since: str | None, **more: Any) -> dict[str, Any]:
    empty = {"narrowed_from": None, "group": None, "identity": None, "ends_at": None}
    moment = None if since is None else rfc3339(datetime.fromisoformat(since))
    return {"permission": permission, "source": source, "since": moment, **empty, **more}


def _own(user: Row) -> Iterator[dict[str, Any]]:
    since: Mapping[str, str] = user["granted_at"]
    if "admin" in user["roles"]:
        yield _grant(None, "ROLE", since.get("role admin"))
    for each in sorted(user["permissions"]):
        yield _grant(each, "USER", since.get(each))


def _by_groups(user: int, info: Any) -> Iterator[dict[str, Any]]:
    world = asking(info).world
    for identity in sorted(world.objects["UserIdentity"].values(), key=lambda row: row["id"]):
        if identity["user_id"] != user:
            continue
        for issuer in world.settings.issuers:
            for group, since in identity["groups"].items():
                if issuer.issuer != identity["issuer"] or group not in issuer.groups:
                    continue
                gives = issuer.groups[group]
                more = {"group": group, "identity": identity["id"], "ends_at": rfc3339(identity["token_ends_at"])}
                for each in ([None] if gives.admin else []) + sorted(gives.permissions):
                    yield _grant(each, "GROUP", since, **more)


def of_user(row: Row, info: Any) -> Sequence[dict[str, Any]]:
    """What a user may, and by whom it came to that; `row` is the user's, or the caller's own."""
    number: int = row["user_id"] if "user_id" in row else row["id"]
    user = asking(info).world.objects["User"][number]
    return [*_own(user), *_by_groups(number, info)]


def of_user_if_managed(row: Row, info: Any) -> Sequence[dict[str, Any]] | None:
    """The same for who manages users."""
    return of_user(row, info) if asking(info).actor.can("users:manage") else None


def of_key(row: Row, info: Any) -> Sequence[dict[str, Any]]:
    """What a key leaves of what its user may itself."""
    found = list(_own(asking(info).world.objects["User"][row["user_id"]]))
    named = row["permissions"]
    if named is None:
        return found
    left = []
    for each in found:
        held = each["permission"]
        if held is None:
            left += [{**each, "permission": name} for name in sorted(named)]
        elif held in named or held.removesuffix(":team").removesuffix(":own") in named:
            left.append(each)
        else:
            parts = [name for name in sorted(named) if name in (f"{held}:team", f"{held}:own")]
            left += [{**each, "permission": name, "narrowed_from": held} for name in parts]
    return left


GRANT = {
    "permission": lambda row, info: _name(row["permission"]),
    "narrowedFrom": lambda row, info: _name(row["narrowed_from"]),
    "identity": ref("UserIdentity", "identity"),
}
IDENTITY = {"user": ref("User", "user_id"), "groups": lambda row, info: list(row["groups"])}
