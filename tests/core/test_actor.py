"""What an actor may do, and the names of permissions, in the graph and where they are stored."""

import pytest

from app.core.actor import Actor, permission_name, permission_of
from app.core.errors import Forbidden
from app.core.sight import NO_TEAM, Viewer
from app.registry import PERMISSIONS

ALL = Actor(user_id=7, name="Ana", permissions=frozenset({"session:read", "session:write"}))
OWN = Actor(
    user_id=7,
    name="Ana",
    permissions=frozenset({"session:read:team", "session:write:own", "session:claim"}),
    teams=frozenset({3}),
)
ADMIN = Actor(user_id=7, name="Ana", permissions=OWN.permissions, teams=OWN.teams, is_admin=True)


@pytest.mark.parametrize(
    ("permission", "name"),
    [
        ("session:read", "SESSION_READ"),
        ("agent_session:write", "AGENT_SESSION_WRITE"),
        ("users:manage", "USERS_MANAGE"),
    ],
)
def test_a_permission_has_a_name_in_the_graph(permission: str, name: str) -> None:
    assert (permission_name(permission), permission_of(name)) == (name, permission)


def test_every_name_leads_back_to_its_permission() -> None:
    assert tuple(permission_of(permission_name(each)) for each in PERMISSIONS) == PERMISSIONS


def test_viewer_has_user_and_teams_only_where_they_decide() -> None:
    assert ALL.viewer == Viewer(ALL.permissions)
    assert OWN.viewer == Viewer(OWN.permissions, 7, OWN.teams)
    assert ADMIN.viewer == Viewer(None)


def test_actor_can_what_is_named_and_admins_everything() -> None:
    assert [each.can("session:read") for each in (ALL, OWN, ADMIN)] == [True, False, True]
    assert [each.can_read("session") for each in (ALL, OWN, ADMIN)] == [True, False, True]
    assert [each.holds("session:read:team") for each in (ALL, OWN, ADMIN)] == [True, True, True]
    assert [each.holds("session:write:team") for each in (ALL, OWN, ADMIN)] == [True, False, True]
    assert [each.holds("chat_session:read") for each in (ALL, OWN, ADMIN)] == [False, False, True]


def test_actor_lacks_a_permission_by_its_name() -> None:
    ALL.require("session:write")
    OWN.require_writing("session")
    with pytest.raises(Forbidden, match=r"^This needs the permission session:write\.$"):
        OWN.require("session:write")
    with pytest.raises(Forbidden, match=r"^This needs the permission chat_session:write\.$"):
        OWN.require_writing("chat_session")


@pytest.mark.parametrize(
    ("team", "holder", "allowed"),
    [(3, 7, True), (9, 7, True), (3, 8, False), (3, None, True), (9, None, False), (NO_TEAM, None, False)],
)
def test_actor_writes_its_own_and_what_is_free_in_its_teams(team: int, holder: int | None, allowed: bool) -> None:
    assert OWN.may_write("session", team, holder) is allowed
    assert ALL.may_write("session", team, holder)
    assert ADMIN.may_write("session", team, holder)
    assert not OWN.may_write("chat_session", team, holder)


def test_actor_takes_where_it_sees_and_writes() -> None:
    assert ALL.teams_to_take_of("session") is None
    assert ADMIN.teams_to_take_of("session") is None
    assert OWN.teams_to_take_of("session") == frozenset({3})
    sees = Actor(user_id=7, name="Ana", permissions=frozenset({"session:read", "session:write:team"}), teams=OWN.teams)
    assert sees.teams_to_take_of("session") == frozenset({3, NO_TEAM})
    assert sees.teams_to_take_of("chat_session") == frozenset()


def test_caller_is_the_user_or_the_address_of_a_stranger() -> None:
    assert ALL.caller == 7
    assert Actor(user_id=0, name="Nobody", address="192.0.2.1").caller == "192.0.2.1"


@pytest.mark.parametrize("name", ["SESSION", "SESSION_READ_ALL", "SESSION READ", "_READ"])
def test_name_of_no_permission_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is no name of a permission$"):
        permission_of(name)
