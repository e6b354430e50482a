"""The command `connections`."""

import json
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


@connections.command
def outbox(connection: str, /) -> None:
    """List what a connection could not do in its system, or may not have done, and why.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    columns(("ID", "ACTION", "INTERACTION", "STATE", "ATTEMPTS", "ERROR"), done(_outbox, connection))


@connections.command
def retry(entry: str, /) -> None:
    """Have an entry of an outbox done once more. A message that did arrive is then sent twice.

    Parameters
    ----------
    entry
        Its id, such as `obx_1`.
    """
    console().print(f"{done(_retry, entry)} is done once more.")


@connections.command
def drop(entry: str, /) -> None:
    """Give an entry of an outbox up.

    Parameters
    ----------
    entry
        Its id, such as `obx_1`.
    """
    console().print(f"{done(_drop, entry)} is dropped.")


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


def _outbox(work: "Work", given: str) -> list[tuple[str, ...]]:
    from app.connections.service import troubled_entries
    from app.core.actor import SYSTEM

    return [
        (f"obx_{each.id}", each.action, ref, each.state.value, str(each.attempts), each.error or "")
        for each, ref in troubled_entries(work, SYSTEM, _ref(work, given))
    ]


def _retry(work: "Work", given: str) -> str:
    from app.connections.service import retry_entry
    from app.core.actor import SYSTEM

    return f"obx_{retry_entry(work, SYSTEM, given).entry}"


def _drop(work: "Work", given: str) -> str:
    from app.connections.service import drop_entry
    from app.core.actor import SYSTEM

    return f"obx_{drop_entry(work, SYSTEM, given).entry}"


def _replay(work: "Work", given: str) -> int:
    from app.connections.service import replay_parked
    from app.core.actor import SYSTEM

    return replay_parked(work, SYSTEM, _ref(work, given)).deliveries


def _ref(work: "Work", given: str) -> str:
    """The id of the connection with this name. Raises CommandError."""
    from app.connections.repository import ConnectedSystemRepository

    found = work.use(ConnectedSystemRepository).named(given)
    if found is not None:
        return f"con_{found.id}"
    raise CommandError(f"There is no connection {given}.")
