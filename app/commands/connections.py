"""The command `connections`."""

import json
import sys
from typing import TYPE_CHECKING

from cyclopts import App

from app.commands import troubles
from app.commands.backfill import backfill
from app.commands.opening import done
from app.commands.troubles import ref_of
from app.terminal import CommandError, columns, console

if TYPE_CHECKING:
    from app.storage.work import Work

connections = App(
    name="connections", help="Add, list, change and follow connections to other systems.", version_flags=[]
)

for each in (
    backfill,
    troubles.errors,
    troubles.replay,
    troubles.discard,
    troubles.outbox,
    troubles.retry,
    troubles.drop,
):
    connections.command(each)


@connections.command(name="list")
def list_() -> None:
    """List the connections and how they stand, the oldest first."""
    columns(("ID", "NAME", "SYSTEM", "STATE", "LATEST DELIVERY", "PENDING", "PARKED", "ERROR"), done(_list))


@connections.command
def add(
    name: str,
    /,
    *,
    system: str = "HTTP",
    account: str | None = None,
    address: str | None = None,
    settings: str = "{}",
) -> None:
    """Add a connection. Its path goes to standard error, and its secret to standard output, once.

    With an address, the token that the system takes is read from standard input.

    Parameters
    ----------
    name
        The name, which no other connection has.
    system
        The system; `HTTP` is any that sends signed deliveries.
    account
        The id of the channel agent that it fills, such as `cha_1`; without it one is made.
    address
        The address of the system's REST contract, for a system that is read and written.
    settings
        The other settings of its system, as a JSON object.
    """
    token = None if address is None else sys.stdin.readline().strip()
    ref, path, secret = done(_add, name, system.upper(), account, address, token, _settings(settings))
    said = f"Added {ref}. It takes deliveries at {path}\nsigned with this secret, which is shown only now:"
    console().print(said, soft_wrap=True)
    sys.stdout.write(f"{secret}\n")


@connections.command
def change(
    connection: str,
    /,
    *,
    to: str | None = None,
    address: str | None = None,
    token: bool = False,
    settings: str | None = None,
    allow_missing: int | None = None,
) -> None:
    """Change the name of a connection, or where and how its system is reached.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    to
        The new name.
    address
        The address of the system's REST contract.
    token
        Read the token that the system takes from standard input.
    settings
        All settings of its system, as a JSON object, in place of the present ones.
    allow_missing
        How many interactions that its system has no more the next complete reading may delete here at once.
    """
    credential = sys.stdin.readline().strip() if token else None
    given = None if settings is None else _settings(settings)
    console().print(f"{done(_change, connection, to, address, credential, given, allow_missing)} is changed.")


@connections.command
def test(connection: str, /) -> None:
    """Look whether a connection could take deliveries and apply them now; nothing is sent.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    name, problems = done(_test, connection)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    if problems:
        raise CommandError(f"{name} could not work now.")
    console().print(f"Nothing stops {name}.")


@connections.command
def pause(connection: str, /) -> None:
    """Apply nothing more of what a connection delivers; deliveries are still taken and wait.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    console().print(f"{done(_pause, connection)} is paused.")


@connections.command
def resume(connection: str, /) -> None:
    """Apply what a connection delivers, what waits first.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    console().print(f"{done(_resume, connection)} is resumed.")


@connections.command
def rotate(connection: str, /, *, former_for: int = 86_400) -> None:
    """Give a connection another secret, which goes to standard output, once.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    former_for
        For how many seconds the former secret stays valid beside it; seven days at most.
    """
    name, secret = done(_rotate, connection, former_for)
    console().print(f"{name} has another secret, which is shown only now:", soft_wrap=True)
    sys.stdout.write(f"{secret}\n")


@connections.command
def delete(connection: str, /) -> None:
    """Forget a connection's secrets and all that waits. The interactions that came by it stay.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    console().print(f"{done(_delete, connection)} is deleted.")


def _list(work: "Work") -> list[tuple[str, ...]]:
    from app.connections.service import standings

    found: list[tuple[str, ...]] = []
    for each in standings(work):
        last, error = each.system.last_delivery_at, each.standing.error(work.now)
        found.append(
            (
                f"con_{each.system.id}",
                each.system.name,
                each.system.system,
                each.standing.state(work.now).value,
                "never" if last is None else f"{last:%Y-%m-%d %H:%M}",
                str(each.pending),
                str(each.standing.parked),
                "" if error is None else error.value,
            )
        )
    return found


def _settings(text: str) -> dict[str, object]:
    """The settings in the text. Raises CommandError."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CommandError("The settings have to be a JSON object.")
    return found


def _add(
    work: "Work",
    name: str,
    system: str,
    account: str | None,
    address: str | None,
    token: str | None,
    more: dict[str, object],
) -> tuple[str, str, str | None]:
    from app.connections.model import NewConnection
    from app.connections.service import create_connection
    from app.core.actor import SYSTEM
    from app.registry import CONNECTORS

    settings = more if account is None else {**more, "channelAgentId": account}
    new = NewConnection(system=system, name=name, settings=settings, address=address, credential=token)
    made = create_connection(work, SYSTEM, CONNECTORS, new)
    return f"con_{made.system.id}", made.system.hook_path, made.secret


def _pause(work: "Work", given: str) -> str:
    from app.connections.service import pause_connection
    from app.core.actor import SYSTEM

    return pause_connection(work, SYSTEM, ref_of(work, given)).name


def _resume(work: "Work", given: str) -> str:
    from app.connections.service import resume_connection
    from app.core.actor import SYSTEM

    return resume_connection(work, SYSTEM, ref_of(work, given)).name


def _change(
    work: "Work",
    given: str,
    to: str | None,
    address: str | None,
    credential: str | None,
    settings: dict[str, object] | None,
    allow_missing: int | None,
) -> str:
    from app.connections.service import update_connection
    from app.core.actor import SYSTEM
    from app.registry import CONNECTORS

    ref = ref_of(work, given)
    changed = update_connection(
        work,
        SYSTEM,
        CONNECTORS,
        ref,
        to,
        address=address,
        credential=credential,
        settings=settings,
        allow_missing=allow_missing,
    )
    return changed.name


def _test(work: "Work", given: str) -> tuple[str, list[str]]:
    from app.connections.service import try_connection
    from app.core.actor import SYSTEM
    from app.registry import CONNECTORS

    tried = try_connection(work, SYSTEM, CONNECTORS, ref_of(work, given))
    return tried.system.name, list(tried.problems)


def _rotate(work: "Work", given: str, seconds: int) -> tuple[str, str | None]:
    from datetime import timedelta

    from app.connections.service import rotate_secret
    from app.core.actor import SYSTEM

    made = rotate_secret(work, SYSTEM, ref_of(work, given), former_for=timedelta(seconds=seconds))
    return made.system.name, made.secret


def _delete(work: "Work", given: str) -> str:
    from app.connections.service import delete_connection
    from app.core.actor import SYSTEM

    return delete_connection(work, SYSTEM, ref_of(work, given)).name
