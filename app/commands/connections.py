"""The command `connections`."""

import sys
from typing import TYPE_CHECKING

from cyclopts import App

from app.commands.opening import done
from app.terminal import CommandError, columns, console

if TYPE_CHECKING:
    from app.storage.work import Work

connections = App(
    name="connections", help="Add, list, pause and resume connections to other systems.", version_flags=[]
)


@connections.command(name="list")
def list_() -> None:
    """List the connections and how they stand, the oldest first."""
    columns(("ID", "NAME", "SYSTEM", "STATE", "LATEST DELIVERY", "PENDING", "PARKED", "ERROR"), done(_list))


@connections.command
def add(name: str, /, *, system: str = "HTTP", account: str | None = None) -> None:
    """Add a connection. Its path goes to standard error, and its secret to standard output, once.

    Parameters
    ----------
    name
        The name, which no other connection has.
    system
        The system; `HTTP` is any that sends signed deliveries.
    account
        The id of the channel agent that it fills, such as `cha_1`; without it one is made.
    """
    ref, path, secret = done(_add, name, system.upper(), account)
    said = f"Added {ref}. It takes deliveries at {path}\nsigned with this secret, which is shown only now:"
    console().print(said, soft_wrap=True)
    sys.stdout.write(f"{secret}\n")


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
def errors(connection: str, /) -> None:
    """List what a connection could not deliver, and why.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    columns(("ID", "RECEIVED", "ATTEMPTS", "REASON"), done(_errors, connection))


@connections.command
def replay(connection: str, /) -> None:
    """Apply again what a connection could not deliver; a running server does it within seconds.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    console().print(f"Deliveries that are applied again: {done(_replay, connection)}.")


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


def _add(work: "Work", name: str, system: str, account: str | None) -> tuple[str, str, str | None]:
    from app.connections.model import NewConnection
    from app.connections.service import create_connection
    from app.core.actor import SYSTEM
    from app.registry import CONNECTORS

    settings = {} if account is None else {"channelAgentId": account}
    made = create_connection(work, SYSTEM, CONNECTORS, NewConnection(system=system, name=name, settings=settings))
    return f"con_{made.system.id}", made.system.hook_path, made.secret


def _pause(work: "Work", given: str) -> str:
    from app.connections.service import pause_connection
    from app.core.actor import SYSTEM

    return pause_connection(work, SYSTEM, _ref(work, given)).name


def _resume(work: "Work", given: str) -> str:
    from app.connections.service import resume_connection
    from app.core.actor import SYSTEM

    return resume_connection(work, SYSTEM, _ref(work, given)).name


def _errors(work: "Work", given: str) -> list[tuple[str, ...]]:
    from app.connections.service import parked_deliveries
    from app.core.actor import SYSTEM

    return [
        (f"dlv_{each.id}", f"{each.received_at:%Y-%m-%d %H:%M:%S}", str(each.attempts), each.reason)
        for each in parked_deliveries(work, SYSTEM, _ref(work, given))
    ]


def _replay(work: "Work", given: str) -> int:
    from app.connections.service import replay_parked
    from app.core.actor import SYSTEM

    return replay_parked(work, SYSTEM, _ref(work, given)).deliveries


def _ref(work: "Work", given: str) -> str:
    """The id of the connection that is named so. Raises CommandError."""
    from app.connections.service import standings

    for each in standings(work):
        if given in (f"con_{each.system.id}", each.system.name):
            return f"con_{each.system.id}"
    raise CommandError(f"There is no connection {given}.")
