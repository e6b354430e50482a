"""The commands about what connections could not deliver or do."""

from typing import TYPE_CHECKING

from app.commands.opening import done
from app.terminal import CommandError, columns, console

if TYPE_CHECKING:
    from app.storage.work import Work


def errors(connection: str, /) -> None:
    """List what a connection could not deliver or read, and why.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    parked, failing = done(_errors, connection)
    columns(("ID", "RECEIVED", "ATTEMPTS", "REASON"), parked)
    if failing:
        columns(("ID", "KEY", "NEXT ATTEMPT", "ATTEMPTS", "REASON"), failing)


def replay(connection: str, /) -> None:
    """Apply again what a connection could not deliver, and read again what keeps failing.

    A running server does it within seconds.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    deliveries, reads = done(_replay, connection)
    console().print(f"Deliveries that are applied again: {deliveries}.")
    if reads:
        console().print(f"What is read again: {reads}.")


def discard(connection: str, /) -> None:
    """Erase for good what a connection could not deliver.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    console().print(f"Deliveries that are erased: {done(_discard, connection)}.")


def outbox(connection: str, /) -> None:
    """List what a connection could not do in its system, or may not have done, and why.

    Parameters
    ----------
    connection
        Its id (`con_1`) or its name.
    """
    columns(("ID", "ACTION", "INTERACTION", "STATE", "ATTEMPTS", "ERROR"), done(_outbox, connection))


def retry(entry: str, /) -> None:
    """Have an entry of an outbox done once more. A message that did arrive is then sent twice.

    Parameters
    ----------
    entry
        Its id, such as `obx_1`.
    """
    console().print(f"{done(_retry, entry)} is done once more.")


def drop(entry: str, /) -> None:
    """Give an entry of an outbox up.

    Parameters
    ----------
    entry
        Its id, such as `obx_1`.
    """
    console().print(f"{done(_drop, entry)} is dropped.")


def ref_of(work: "Work", given: str) -> str:
    """The id of the connection with this name. Raises CommandError."""
    from app.connections.repository import ConnectedSystemRepository

    found = work.use(ConnectedSystemRepository).named(given)
    if found is not None:
        return f"con_{found.id}"
    raise CommandError(f"There is no connection {given}.")


_Rows = list[tuple[str, ...]]


def _errors(work: "Work", given: str) -> tuple[_Rows, _Rows]:
    from app.connections.service import failing_reads, parked_deliveries
    from app.core.actor import SYSTEM

    ref = ref_of(work, given)
    parked: _Rows = [
        (f"dlv_{each.id}", f"{each.received_at:%Y-%m-%d %H:%M:%S}", str(each.attempts), each.reason)
        for each in parked_deliveries(work, SYSTEM, ref)
    ]
    failing: _Rows = [
        (f"frd_{each.id}", each.key, f"{each.due_at:%Y-%m-%d %H:%M:%S}", str(each.attempts), each.reason)
        for each in failing_reads(work, SYSTEM, ref)
    ]
    return parked, failing


def _outbox(work: "Work", given: str) -> list[tuple[str, ...]]:
    from app.connections.service import troubled_entries
    from app.core.actor import SYSTEM

    return [
        (f"obx_{each.id}", each.action, ref, each.state.value, str(each.attempts), each.error or "")
        for each, ref in troubled_entries(work, SYSTEM, ref_of(work, given))
    ]


def _retry(work: "Work", given: str) -> str:
    from app.connections.service import retry_entry
    from app.core.actor import SYSTEM

    return f"obx_{retry_entry(work, SYSTEM, given).entry}"


def _drop(work: "Work", given: str) -> str:
    from app.connections.service import drop_entry
    from app.core.actor import SYSTEM

    return f"obx_{drop_entry(work, SYSTEM, given).entry}"


def _replay(work: "Work", given: str) -> tuple[int, int]:
    from app.connections.service import replay_parked, retry_reads
    from app.core.actor import SYSTEM

    ref = ref_of(work, given)
    return replay_parked(work, SYSTEM, ref).number, retry_reads(work, SYSTEM, ref).number


def _discard(work: "Work", given: str) -> int:
    from app.connections.service import drop_parked
    from app.core.actor import SYSTEM

    return drop_parked(work, SYSTEM, ref_of(work, given)).number
