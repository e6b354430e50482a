"""The command `doctor`."""

import asyncio
import sys
from typing import TYPE_CHECKING

from app.terminal import CommandError

if TYPE_CHECKING:
    from app.doctor import Finding, State


def doctor(*, workers: int = 1) -> None:
    """Examine this deployment: each line says what was found, and what to do. Exits with 1 when something is at fault.

    It reads the settings of the servers, and changes nothing.

    Parameters
    ----------
    workers
        How many server processes share the database.
    """
    from app.doctor import State

    if workers < 1:
        raise CommandError("--workers: it has to be 1 or more.")
    found = asyncio.run(_examined(workers))
    faults, warnings = found.count(State.FAULT), found.count(State.WARNING)
    sys.stdout.write(f"\n{faults} at fault, {warnings} to look at, {found.count(State.OK)} in order.\n")
    if faults:
        sys.exit(1)


async def _examined(workers: int) -> "list[State]":
    """The states of the findings. Each finding is written as soon as it is made."""
    from app.commands.opening import read_settings
    from app.core.clock import utc_now
    from app.doctor import examine
    from app.doctor.findings import fault
    from app.settings import SettingsError

    states: list[State] = []

    def tell(finding: "Finding") -> None:
        states.append(finding.state)
        sys.stdout.writelines(f"{line}\n" for line in finding.lines)
        sys.stdout.flush()

    try:
        settings = read_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            tell(fault("settings", line, "Correct or unset the variable; docs/settings.md lists them."))
        return states
    async for finding in examine(settings, utc_now, workers=workers):
        tell(finding)
    return states
