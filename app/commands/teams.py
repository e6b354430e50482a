"""The command `teams`."""

from typing import TYPE_CHECKING

from cyclopts import App

from app.commands.keys import listed
from app.commands.opening import done
from app.terminal import columns, console

if TYPE_CHECKING:
    from app.directory.model import Team, TeamChanges
    from app.storage.work import Work

teams = App(name="teams", help="Add, list and change teams, their members and their borders.", version_flags=[])


@teams.command(name="list")
def list_() -> None:
    """List the teams with the logins of their members and their borders, the oldest first."""
    columns(("ID", "NAME", "MEMBERS", "ACCOUNTS", "LABELS"), done(_list))


@teams.command
def add(name: str, /, *, members: str = "", accounts: str = "", labels: str = "") -> None:
    """Add a team.

    Parameters
    ----------
    name
        The name, which no other team has.
    members
        The logins of its members, separated by commas.
    accounts
        The ids of its accounts, separated by commas: `cha_3`, `aia_1`, `top_2`. Whose customers come by one of these
        belong to the team.
    labels
        Its labels, separated by commas. Whatever has one of these belongs to the team.
    """
    given = {"account_ids": listed(accounts), "labels": listed(labels)}
    console().print(f"Added {done(_add, name, listed(members), given)}.")


@teams.command
def change(name: str, /, *, to: str | None = None, accounts: str | None = None, labels: str | None = None) -> None:
    """Change the name or the borders of a team. Borders that are given take the place of those that it has.

    Parameters
    ----------
    name
        The name.
    to
        Another name.
    accounts
        The ids of its accounts, separated by commas; empty for none.
    labels
        Its labels, separated by commas; empty for none.
    """
    asked = {
        "name": to,
        "account_ids": None if accounts is None else listed(accounts),
        "labels": None if labels is None else listed(labels),
    }
    given = {field: value for field, value in asked.items() if value is not None}
    console().print(f"Changed {done(_change, name, given)}.")


@teams.command
def join(name: str, login: str, /) -> None:
    """Make a user a member. Its open sockets close, and come back with what the team sees.

    Parameters
    ----------
    name
        The name of the team.
    login
        The user's login name.
    """
    done(_member, name, login, True)
    console().print(f"{login} is in the team {name}.")


@teams.command
def leave(name: str, login: str, /) -> None:
    """End a membership. What the user holds there and may not see or change any more is released.

    Parameters
    ----------
    name
        The name of the team.
    login
        The user's login name.
    """
    done(_member, name, login, False)
    console().print(f"{login} is not in the team {name}.")


@teams.command
def delete(name: str, /) -> None:
    """Delete a team of which no interaction is open.

    Parameters
    ----------
    name
        The name.
    """
    console().print(f"Deleted {done(_delete, name)}.")


def _list(work: "Work") -> list[tuple[str, ...]]:
    from app.directory.repository import TeamRepository, UserRepository

    logins = {user.id: user.login for user in work.use(UserRepository).all()}
    repository = work.use(TeamRepository)
    return [
        (
            f"tea_{team.id}",
            team.name,
            ",".join(sorted(logins[number] for number in repository.members(team.id))),
            ",".join(team.account_ids),
            ",".join(team.labels),
        )
        for team in repository.all()
    ]


def _add(work: "Work", name: str, members: list[str], given: "TeamChanges") -> str:
    from app.core.actor import SYSTEM
    from app.directory.service import create_team, user_by_login

    users = [f"usr_{user_by_login(work, login).id}" for login in members]
    return _named(create_team(work, SYSTEM, {**given, "name": name, "member_ids": users}))


def _change(work: "Work", name: str, given: "TeamChanges") -> str:
    from app.core.actor import SYSTEM
    from app.directory.service import update_team

    return _named(update_team(work, SYSTEM, _ref(work, name), given))


def _member(work: "Work", name: str, login: str, comes: bool) -> None:
    from app.core.actor import SYSTEM
    from app.directory.repository import TeamRepository
    from app.directory.service import update_team, user_by_login

    ref, user = _ref(work, name), user_by_login(work, login).id
    members = work.use(TeamRepository).members(int(ref.removeprefix("tea_")))
    wanted = members | {user} if comes else members - {user}
    update_team(work, SYSTEM, ref, {"member_ids": [f"usr_{number}" for number in sorted(wanted)]})


def _delete(work: "Work", name: str) -> str:
    from app.core.actor import SYSTEM
    from app.directory.service import delete_team

    return _named(delete_team(work, SYSTEM, _ref(work, name)))


def _ref(work: "Work", name: str) -> str:
    from app.directory.service import team_by_name

    return f"tea_{team_by_name(work, name).id}"


def _named(team: "Team") -> str:
    return f"tea_{team.id} ({team.name})"
