"""Commands on teams."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from app.core.actor import Actor
from app.core.errors import AlreadyExists, InvalidInput, InvalidTransition, NotFound, TooMany, require_version
from app.core.text import key_form
from app.directory.events import TeamCreated, TeamDeleted, TeamJoined, TeamLeft, TeamUpdated
from app.directory.model import User
from app.directory.model.checks import checked
from app.directory.model.team import CHANGEABLE, MOST_TEAMS, Team, TeamChanges
from app.directory.repository import TeamRepository, UserRepository
from app.directory.service.editing import (
    Ref,
    changed_fields,
    created,
    follow,
    found,
    locked_users,
    number,
    tell,
)
from app.storage.work import Work

MANAGE = "teams:manage"


def create_team(work: Work, actor: Actor, given: TeamChanges, *, idempotency_key: str | None = None) -> Team:
    """Create a team, which needs a name of 1 to 255 characters that no other team has.

    At most 1,000 members, 1,000 accounts and 1,000 labels. Raises Forbidden, NotFound for a user who does not exist,
    InvalidInput, TooLong, TooMany for a user with 100 teams, AlreadyExists for a name or border of another team,
    KeyReused."""
    actor.require(MANAGE)

    def make() -> Team:
        values = checked(given, CHANGEABLE)
        members = _users(work, values.pop("member_ids", ()))
        if "name" not in values:
            raise InvalidInput("A team needs a name.", path=("name",))
        teams = work.use(TeamRepository)
        new = Team(id=0, created_at=work.now, updated_at=work.now, **values)
        _require_free(work, new)
        users = locked_users(work, members)
        stored = teams.add(new)
        teams.set_borders(stored)
        _move(work, actor, stored.id, (), members, users)
        tell(work, actor, TeamCreated(team_id=stored.id), stored)
        return stored

    request = {"create": "team", **given}
    return created(work, actor, idempotency_key, request, work.use(TeamRepository).get, make)


def update_team(work: Work, actor: Actor, ref: Ref, changes: TeamChanges, *, if_version: int | None = None) -> Team:
    """Change a team. Members and borders are replaced as a whole; limits are as for `create_team`.

    The new borders only affect interactions that open, are reopened, or change their account or labels from now on.
    Raises the errors of `create_team`, and VersionConflict."""
    actor.require(MANAGE)
    teams, team_id = work.use(TeamRepository), number(ref, "tea")
    values = checked(changes, CHANGEABLE)
    wanted = _users(work, values.pop("member_ids")) if "member_ids" in values else None
    users = {} if wanted is None else locked_users(work, wanted ^ teams.members(team_id))
    before = _team(work, ref, if_version)
    after = replace(before, **values)
    held = teams.members(before.id)
    moved = wanted is not None and wanted != held
    if after == before and not moved:
        return before
    after = replace(after, version=before.version + 1, updated_at=work.now)
    if after.name_key != before.name_key:
        _require_free(work, after)
    teams.save(before, after)
    if after.borders != before.borders:
        teams.set_borders(after)
    if wanted is not None and moved:
        _move(work, actor, before.id, held - wanted, wanted - held, users)
    told: list[Any] = list(changed_fields(before, after))
    if moved:
        told.append({"field": "members", "before": None, "after": None})
    tell(work, actor, TeamUpdated(team_id=after.id), after, {"changes": told})
    return after


def delete_team(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Team:
    """Delete a team with its borders. Returns what it was. Its closed interactions keep the deleted team, so nobody's
    team has them.

    Raises Forbidden, NotFound, VersionConflict, and InvalidTransition while an interaction of it is not closed."""
    actor.require(MANAGE)
    teams = work.use(TeamRepository)
    users = locked_users(work, teams.members(number(ref, "tea")))
    before = _team(work, ref, if_version)
    if any(kind.has_open_of_team(work, before.id) for kind in work.kinds.values()):
        message = "Some interactions of the team are not closed. Move them to another team first."
        raise InvalidTransition(message, path=("id",))
    _move(work, actor, before.id, teams.members(before.id), (), users)
    teams.remove(before.id)
    tell(work, actor, TeamDeleted(team_id=before.id), before)
    return before


def team_by_name(work: Work, name: str) -> Team:
    """The team with this name, ignoring case and accents. Raises NotFound."""
    team = work.use(TeamRepository).get_by_name(key_form(name))
    if team is None:
        raise NotFound(f"There is no team with the name {name}.")
    return team


def _team(work: Work, ref: Ref, if_version: int | None) -> Team:
    team = found(work.use(TeamRepository).get(number(ref, "tea"), for_update=True), ref)
    require_version(team.version, if_version)
    return team


def _users(work: Work, refs: Collection[str]) -> frozenset[int]:
    """The surrogates of these users. Raises NotFound for one who does not exist."""
    users = work.use(UserRepository)
    known = frozenset(users.known(number(ref, "usr") for ref in refs))
    for place, ref in enumerate(refs):
        if number(ref, "usr") not in known:
            raise NotFound(f"There is no user with the id {ref}.", path=("member_ids", place))
    return known


def _move(
    work: Work,
    actor: Actor,
    team_id: int,
    gone: Collection[int],
    come: Collection[int],
    locked: Mapping[int, User],
) -> None:
    """Change who is in the team. Interactions that a leaving user holds and may no longer see are released in this
    unit.

    `locked` are the users that were locked before the team. Users of a change that came in between are not among
    them."""
    users, teams = work.use(UserRepository), work.use(TeamRepository)
    late = locked_users(work, {*gone, *come} - locked.keys())
    teams.set_members(team_id, sorted(gone), sorted(come))
    for user_id in sorted({*gone, *come}):
        user = locked.get(user_id) or late[user_id]
        held = teams.teams_of(user.id)
        if len(held) > MOST_TEAMS:
            raise TooMany(f"A user may be a member of {MOST_TEAMS} teams at most.", path=("member_ids",))
        after = users.set_teams(user, held)
        happened = TeamJoined if user_id in come else TeamLeft
        tell(work, actor, happened(user_id=user_id, team_id=team_id), after)
        follow(work, actor, user, after)


def _require_free(work: Work, team: Team) -> None:
    other = work.use(TeamRepository).get_by_name(team.name_key)
    if other is not None and other.id != team.id:
        raise AlreadyExists(f"There already is a team with the name {other.name}.", path=("name",))
