"""Checks subscriptions that are stored to be run later."""

from typing import Any

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import DomainError, Forbidden, InvalidInput, release
from app.execution.outcome import GraphQLRequest, Refused
from app.graph.context import Context, Subscribable
from app.live.subscriptions import Subscriptions
from app.settings import Settings
from app.storage.database import Database


class Checking:
    """Compiles a stored subscription as if it were opened now."""

    def __init__(self, subscriptions: Subscriptions, database: Database, settings: Settings, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._database = database
        self._settings = settings
        self._clock = clock

    async def require_durable(self, actor: Actor, given: Subscribable) -> None:
        """Raises Forbidden or InvalidInput for a subscription that the actor may not open or that no cursor resumes.

        Raises RateLimited, too."""
        context = Context(self._database, actor, self._settings, self._clock)
        try:
            await self._subscriptions.require_durable(request_of(given), context)
        except Refused as refused:
            release(refused)
            raise _as_domain_error(refused.entries) from None


def request_of(given: Subscribable) -> GraphQLRequest:
    """The request that opens the subscription."""
    return GraphQLRequest(given.document, given.operation_name, dict(given.variables))


def _as_domain_error(entries: Any) -> DomainError:
    text = "; ".join(str(entry["message"]) for entry in entries)
    is_forbidden = any(entry["extensions"]["code"] == Forbidden.code for entry in entries)
    return Forbidden(text, path=("document",)) if is_forbidden else InvalidInput(text, path=("document",))
