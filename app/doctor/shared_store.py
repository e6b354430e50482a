"""Checks the store in which processes count together."""

from collections.abc import AsyncIterator

from app.budgets.store import Unreachable, connected
from app.doctor.findings import Finding, fault, ok, warning
from app.settings import Settings, SettingsError, without_secrets

PATIENCE = 3.0
"""Seconds that the store has to answer, far more than requests wait."""


async def shared_store(settings: Settings, patience: float = PATIENCE) -> AsyncIterator[Finding]:
    """The finding about the shared store, if the settings name one. A count is written, which is of no caller."""
    address = settings.shared_store
    if address is None:
        return
    where = f"The shared store {without_secrets(address)}"
    try:
        async with connected(address) as store:
            await store.look(patience)
    except SettingsError as error:
        yield fault("limits", str(error), "The server does not start like this.")
    except Unreachable as error:
        yield warning(
            "limits",
            f"{where} cannot be used. {error}",
            "Each process counts by itself, so a caller has its share in each. Look at SWITCHBOARD_SHARED_STORE, at "
            "the way from here to it, and at whether its user may run scripts and write `switchboard:*`.",
        )
    else:
        yield ok("limits", f"{where} counts callers' shares.")
