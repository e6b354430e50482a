"""The command `user`."""

from typing import TYPE_CHECKING, Any

from cyclopts import App

from app.commands.keys import listed
from app.commands.opening import done
from app.terminal import columns, console

if TYPE_CHECKING:
    from datetime import datetime

    from app.directory.model import UserChanges
    from app.directory.model.grant import Grant
    from app.storage.work import Work

users = App(name="user", help="Add, list and change users.", version_flags=[])


@users.command
def add(
    login: str, /, *, name: str | None = None, email: str | None = None, permissions: str = "", admin: bool = False
) -> None:
    """Add a user.

    Parameters
    ----------
    login
        The login name, which no other user has.
    name
        The name, in place of the login.
    email
        The e-mail address.
    permissions
        What the user may, separated by commas; docs/permissions.md lists them.
    admin
        Give it the role `admin`, which implies every permission.
    """
    given: dict[str, Any] = {"name": name or login, "login": login, "permissions": listed(permissions)}
    given |= {"roles": ["admin"]} if admin else {}
    console().print(f"Added {done(_add, given | ({} if email is None else {'email': email}))}.")


@users.command(name="list")
def list_() -> None:
    """List the users, the oldest first."""
    columns(("ID", "LOGIN", "NAME", "STATE", "PERMISSIONS"), done(_list))


@users.command
def deactivate(login: str, /) -> None:
    """Let none of the user's keys in any more."""
    done(_change, login, {"active": False})
    console().print(f"{login} is inactive.")


@users.command
def activate(login: str, /) -> None:
    """Let the user's keys in again."""
    done(_change, login, {"active": True})
    console().print(f"{login} is active.")


@users.command
def permissions(login: str, permissions: str, /) -> None:
    """Replace all permissions of a user.

    Parameters
    ----------
    login
        The login name.
    permissions
        What the user may from now on, separated by commas; empty for nothing.
    """
    done(_change, login, {"permissions": listed(permissions)})
    console().print(f"{login} may: {', '.join(listed(permissions)) or 'nothing'}.")


@users.command
def link(login: str, issuer: str, subject: str, /) -> None:
    """Let a person of an identity provider sign in as the user.

    Parameters
    ----------
    login
        The login name.
    issuer
        The provider, as `SWITCHBOARD_ISSUERS` names it.
    subject
        Who the person is there: the claim `sub` of its tokens.
    """
    from app.directory.service import link_identity

    done(link_identity, login, issuer, subject)
    console().print(f"{subject} of {issuer} signs in as {login}.")


@users.command
def unlink(login: str, issuer: str, subject: str, /) -> None:
    """Forget that a person signs in as the user. The next time, it comes in as one who has not been here before.

    Parameters
    ----------
    login
        The login name.
    issuer
        The provider.
    subject
        Who the person is there.
    """
    from app.directory.service import unlink_identity

    done(unlink_identity, login, issuer, subject)
    console().print(f"{subject} of {issuer} does not sign in as {login} any more.")


@users.command
def identities(login: str, /) -> None:
    """List the people who sign in as the user.

    Parameters
    ----------
    login
        The login name.
    """
    columns(("ID", "ISSUER", "SUBJECT", "SINCE", "SIGNED IN", "GROUPS"), done(_identities, login))


@users.command
def sessions(login: str, /) -> None:
    """List what a user has open: sockets and streams of events, in all processes.

    Parameters
    ----------
    login
        The login name.
    """
    columns(("ID", "SINCE", "TRANSPORT", "CREDENTIAL", "KEY", "CLIENT", "ADDRESS"), done(_sessions, login))


@users.command
def end_sessions(login: str, /, *, session: tuple[str, ...] = ()) -> None:
    """Close what a user has open, and refuse the access tokens and tickets from before. API keys stay valid.

    Parameters
    ----------
    login
        The login name.
    session
        The id of a session that ends alone (`ops_7`), with its ticket; as often as there are some.
    """
    done(_end_sessions, login, session)
    console().print(f"{', '.join(session)} of {login} ended." if session else f"The sessions of {login} are ended.")


@users.command
def explain(login: str, /, *, key: str | None = None) -> None:
    """List what a user may, and where each permission comes from.

    Parameters
    ----------
    login
        The login name.
    key
        The id of an API key of the user (`key_7`), in place of the user: what the key allows.
    """
    columns(("PERMISSION", "FROM", "SINCE", "UNTIL"), done(_explain, login, key))


def _explain(work: "Work", login: str, key: str | None) -> list[tuple[str, ...]]:
    from app.directory.service import explain_grants

    return [
        (
            each.permission or "all",
            _source(each),
            _minute(each.since),
            _minute(each.ends_at),
        )
        for each in explain_grants(work, login, key)
    ]


def _source(grant: "Grant") -> str:
    of = {"USER": "the user", "ROLE": "the role admin"}.get(grant.source, f"the group {grant.group}")
    return of if grant.narrowed_from is None else f"{of}, narrowed from {grant.narrowed_from}"


def _identities(work: "Work", login: str) -> list[tuple[str, ...]]:
    from app.directory.repository import IdentityRepository
    from app.directory.service import user_by_login

    return [
        (
            f"idn_{each.id}",
            each.issuer,
            each.subject,
            _minute(each.created_at),
            _minute(each.signed_in_at),
            ",".join(group for group, _ in each.groups),
        )
        for each in work.use(IdentityRepository).list_of(user_by_login(work, login).id)
    ]


def _sessions(work: "Work", login: str) -> list[tuple[str, ...]]:
    from app.directory.repository import SessionRepository
    from app.directory.service import user_by_login

    return [
        (
            f"ops_{each.id}",
            _minute(each.began_at),
            each.transport,
            each.credential,
            "" if each.key_id is None else f"key_{each.key_id}",
            each.client or "",
            each.address or "",
        )
        for each in work.use(SessionRepository).list_of(user_by_login(work, login).id, work.now)
    ]


def _minute(at: "datetime | None") -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _end_sessions(work: "Work", login: str, sessions: tuple[str, ...]) -> None:
    from app.core.actor import SYSTEM
    from app.directory.service import end_sessions, user_by_login

    end_sessions(work, SYSTEM, user=f"usr_{user_by_login(work, login).id}", sessions=sessions or None)


def _add(work: "Work", given: "UserChanges") -> str:
    from app.core.actor import SYSTEM
    from app.directory.service import create_user

    user = create_user(work, SYSTEM, given)
    return f"usr_{user.id} ({user.login})"


def _list(work: "Work") -> list[tuple[str, ...]]:
    from app.directory.repository import UserRepository

    return [
        (
            f"usr_{user.id}",
            user.login,
            user.name,
            "active" if user.active else "inactive",
            "admin" if user.is_admin else ",".join(user.permissions) or "none",
        )
        for user in work.use(UserRepository).all()
    ]


def _change(work: "Work", login: str, changes: "UserChanges") -> None:
    from app.core.actor import SYSTEM
    from app.directory.service import update_user, user_by_login

    update_user(work, SYSTEM, f"usr_{user_by_login(work, login).id}", changes)
