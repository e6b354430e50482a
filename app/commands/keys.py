"""The commands `key`, `pepper`, `secrets-key` and `push-key`."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from cyclopts import App

from app.commands.opening import done
from app.terminal import CommandError, columns, console

if TYPE_CHECKING:
    from app.directory.model import ApiKey
    from app.storage.work import Work

keys = App(name="key", help="Make, list and revoke API keys.", version_flags=[])
peppers = App(name="pepper", help="Say which pepper is in use, and end former ones.", version_flags=[])


def secrets_key() -> None:
    """Make a key for `SWITCHBOARD_SECRETS_KEY`, which seals the secrets of other systems, and print it."""
    from app.core.sealing import new_key

    sys.stdout.write(f"{new_key()}\n")


def push_key() -> None:
    """Make a key for `SWITCHBOARD_VAPID_KEY`, and print it with its public key, which browsers subscribe with."""
    from app.core.vapid import Vapid, new_private_key, private_key_of

    private = new_private_key()
    public = Vapid(private_key_of(private), "").public_text
    sys.stdout.write(f"SWITCHBOARD_VAPID_KEY={private}\napplicationServerKey: {public}\n")


@keys.default
def make(
    *,
    user: str | None = None,
    name: str = "command line",
    permissions: str | None = None,
    expires: str | None = None,
) -> None:
    """Make an API key and print it: to standard output, and never again.

    Parameters
    ----------
    user
        The login of the user it stands for, in place of an admin.
    name
        What the key is called in the list of keys.
    permissions
        What it is narrowed to, separated by commas; without it the key allows all that its user may.
    expires
        After how long it ends, such as `12h` or `30d`; without it the key has no end.
    """
    wanted = None if permissions is None else listed(permissions)
    sys.stdout.write(f"{done(_make, user, name, wanted, expires)}\n")


@keys.command(name="list")
def list_(*, user: str | None = None) -> None:
    """List the API keys, the oldest first.

    Parameters
    ----------
    user
        The login of the user whose keys are listed, in place of all.
    """
    columns(("ID", "PREFIX", "USER", "NAME", "PERMISSIONS", "STATE", "MADE BY"), done(_list, user))


@keys.command
def revoke(key: str, /, *, include_made: bool = False) -> None:
    """Revoke an API key for good.

    Parameters
    ----------
    key
        Its id (`key_7`), its prefix, or the key itself.
    include_made
        Also revoke the keys that it made, and those that they made: after a leak.
    """
    console().print(f"Revoked: {', '.join(done(_revoke, key, include_made)) or 'nothing, it was revoked before'}.")


@peppers.default
def show() -> None:
    """Say which pepper is in use, and how many valid keys are digested with each. Applies a change of the settings."""
    columns(("ID", "SINCE", "STATE", "KEYS"), done(_peppers))


@peppers.command
def end(*, lost: bool = False) -> None:
    """End the former peppers: revoke every key that is still digested with one of them.

    Parameters
    ----------
    lost
        Do so without the former pepper, which revokes every key that was made with it.
    """
    from app.directory.service import end_peppers

    count = done(end_peppers, lost=lost)
    console().print(f"The former peppers are ended. Keys that were revoked with them: {count}.")


def listed(text: str) -> list[str]:
    """The entries of a comma-separated text."""
    return [entry for part in text.split(",") if (entry := part.strip())]


def _make(work: "Work", login: str | None, name: str, permissions: list[str] | None, expires: str | None) -> str:
    from app.directory.service import local_key

    return local_key(work, login, name, permissions=permissions, expires_at=_end(work.now, expires))


def _end(now: datetime, expires: str | None) -> datetime | None:
    from app.core.durations import parse_duration, require_possible

    if expires is None:
        return None
    try:
        return now + require_possible(parse_duration(expires))
    except ValueError as error:
        raise CommandError(f"--expires: {error}.") from None


def _list(work: "Work", login: str | None) -> list[tuple[str, ...]]:
    from app.directory.repository import ApiKeyRepository, UserRepository
    from app.directory.service import user_by_login

    users = work.use(UserRepository).all() if login is None else [user_by_login(work, login)]
    return [
        (
            f"key_{key.id}",
            key.prefix,
            user.login,
            key.name,
            "all of its user" if key.permissions is None else ",".join(key.permissions) or "none",
            _state(key, work.now),
            "" if key.made_by_id is None else f"key_{key.made_by_id}",
        )
        for user in users
        for key in work.use(ApiKeyRepository).list_of(user.id)
    ]


def _state(key: "ApiKey", now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    if key.expires_at is None:
        return "valid"
    return f"{'valid until' if key.is_usable(now) else 'expired'} {key.expires_at:%Y-%m-%d %H:%M}"


def _revoke(work: "Work", text: str, include_made: bool) -> list[str]:
    from app.core.actor import SYSTEM
    from app.directory.repository import ApiKeyRepository
    from app.directory.service import revoke_api_key

    keys = work.use(ApiKeyRepository)
    named = keys.get_by_prefix(text.split("_")[1] if text.startswith("swk_") else text)
    revoke_api_key(work, SYSTEM, text if named is None else f"key_{named.id}", include_made=include_made)
    return [f"key_{event.data['api_key_id']}" for event in work.events]


def _peppers(work: "Work") -> list[tuple[str, ...]]:
    from app.directory.repository import ApiKeyRepository, PepperRepository
    from app.directory.service import settle_pepper

    settle_pepper(work)
    counts = work.use(ApiKeyRepository).usable_by_pepper(work.now)
    return [
        (
            str(pepper.id),
            f"{pepper.created_at:%Y-%m-%d %H:%M}",
            "in use" if pepper.is_current else "former" if pepper.ended_at is None else "ended",
            str(counts.get(pepper.id, 0)),
        )
        for pepper in work.use(PepperRepository).all()
    ]
