"""Which interactions of a kind permissions let a caller see, change and take."""

import pytest

from app.core.sight import NO_TEAM, Part, Verb, Viewer, common, is_narrowed, parts_of, reaches, teams_of_free, wider

TEAMS = frozenset({3, 4})
ME, OTHER, NOBODY = 7, 8, None


@pytest.mark.parametrize(
    ("permission", "of"),
    [
        ("session:read:team", "session:read"),
        ("session:write:own", "session:write"),
        ("session:read", None),
        ("own", None),
        ("x:own", None),
        ("session:read:some", None),
    ],
)
def test_wider_form_of_a_permission(permission: str, of: str | None) -> None:
    assert wider(permission) == of


def test_common_permissions_are_the_narrower_of_both() -> None:
    held = frozenset({"session:read", "session:write:own", "directory:read"})
    named = ["session:read:team", "session:write", "reports:read", "directory:read"]
    assert common(held, named) == {"session:read:team", "session:write:own", "directory:read"}
    assert common(frozenset({"session:read:team"}), ["session:read:own"]) == frozenset()


@pytest.mark.parametrize(
    ("permissions", "parts"),
    [
        ({"session:read"}, None),
        ({"session:read", "session:read:own"}, None),
        ({"session:read:team"}, {Part.TEAM}),
        ({"session:read:own"}, {Part.OWN}),
        ({"session:read:own", "session:claim"}, {Part.OWN, Part.CLAIM}),
        ({"session:read:team", "session:claim"}, {Part.TEAM}),
        ({"session:claim", "session:write"}, set()),
        ({"conversation:read"}, set()),
    ],
)
def test_parts_of_a_kind_that_permissions_let_read(permissions: set[str], parts: set[Part] | None) -> None:
    assert parts_of(frozenset(permissions), "session") == parts
    assert parts_of(None, "session") is None


@pytest.mark.parametrize(
    ("permissions", "seen"),
    [
        ({"session:read"}, {(team, who) for team in (NO_TEAM, 3, 5) for who in (ME, OTHER, NOBODY)}),
        ({"session:read:team"}, {(team, who) for team in (NO_TEAM, 3) for who in (ME, OTHER, NOBODY)}),
        ({"session:read:own"}, {(NO_TEAM, ME), (3, ME), (5, ME)}),
        ({"session:read:own", "session:claim"}, {(NO_TEAM, ME), (3, ME), (5, ME), (3, NOBODY)}),
        ({"session:write"}, set()),
    ],
)
def test_interactions_that_a_viewer_sees(permissions: set[str], seen: set[tuple[int, int | None]]) -> None:
    viewer = Viewer(frozenset(permissions), ME, TEAMS)
    found = {
        (team, who) for team in (NO_TEAM, 3, 5) for who in (ME, OTHER, NOBODY) if viewer.sees("session", team, who)
    }
    assert found == seen
    assert not reaches(frozenset({"session:read:own"}), Verb.READ, None, TEAMS, "session", 3, None)


@pytest.mark.parametrize(
    ("permissions", "teams"),
    [
        ({"session:write"}, None),
        ({"session:write:team"}, TEAMS | {NO_TEAM}),
        ({"session:write:own", "session:claim"}, TEAMS),
        ({"session:write:own"}, frozenset()),
    ],
)
def test_teams_of_which_free_interactions_may_be_taken(permissions: set[str], teams: frozenset[int] | None) -> None:
    assert teams_of_free(frozenset(permissions), Verb.WRITE, TEAMS, "session") == teams


@pytest.mark.parametrize(
    ("permissions", "narrowed"),
    [
        (None, False),
        ({"session:read"}, False),
        ({"session:read:own"}, True),
        ({"session:read:own", "session:read"}, False),
        ({"session:write:own"}, False),
        ({"session:read", "conversation:read:team"}, True),
    ],
)
def test_sight_is_narrowed_by_a_read_permission_without_its_wider_form(
    permissions: set[str] | None, narrowed: bool
) -> None:
    assert is_narrowed(None if permissions is None else frozenset(permissions)) is narrowed
