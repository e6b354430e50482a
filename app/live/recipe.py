"""How the items of a subscription are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.fairness import Caller
from app.selection.mapping import Env
from app.selection.plan import Answer, Plan
from app.settings import Settings
from app.storage.database import Database


class _Nobody:
    """Stands for the actor where a result is shared by several users."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a field that looks at the actor's {name} has to be mapped as personal")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an item is read: the plan, the variables of its selection, and the actor if the plan depends on it.

    `caller` has the share that the reads take: deliveries of a user have a share of their own beside that of the user's
    requests."""

    key: str
    plan: Plan
    variables: Mapping[str, object]
    actor: Actor | None
    caller: Caller

    def env(self, clock: Clock, settings: Settings) -> Env:
        """What the plan is run with now; its actor is nobody when the plan does not depend on one."""
        actor = cast("Actor", _Nobody()) if self.actor is None else self.actor
        return Env(actor, clock(), settings, self.variables)


class Reader:
    """Runs recipes, within the shares of their callers."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def one(self, recipe: Recipe) -> Answer:
        """The plan's answer now."""
        env, plan = recipe.env(self._clock, self._settings), recipe.plan
        return await self._database.read(lambda: plan.steps(env), snapshot=plan.snapshot, caller=recipe.caller)

    async def each(self, recipe: Recipe, rows: Sequence[Mapping[str, object]]) -> Sequence[Any]:
        """The selection on each of the rows, read together."""
        env, plan = recipe.env(self._clock, self._settings), recipe.plan
        return await self._database.read(lambda: plan.each(env, rows), snapshot=plan.snapshot, caller=recipe.caller)
