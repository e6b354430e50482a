"""Decides for each read whether a replica or the primary answers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa

from app.core.fairness import Caller
from app.settings import Settings
from app.storage.postgresql_plans import PostgresqlPlans
from app.storage.query import Observer, Steps
from app.storage.replicas.replica import FAILURES, Replica
from app.storage.tally import Load

T = TypeVar("T")


class Replicas:
    """Runs plans on replicas that are as new as the primary; without such a replica, on the primary.

    A caller keeps its replica for as long as that replica is used."""

    def __init__(self, primary: PostgresqlPlans, urls: Sequence[sa.URL], settings: Settings) -> None:
        self.at_primary = 0
        """How many reads the primary answered that a replica could have answered."""
        self.moved = 0
        """How many of them had failed on a replica before."""
        self._primary = primary
        self.all: Sequence[Replica] = [Replica(number, url, settings, primary) for number, url in enumerate(urls, 1)]

    async def run(self, steps: Steps[T], snapshot: bool, caller: Caller) -> T:
        """Run a plan as `PostgresqlPlans.run` does. It sees everything written before, in any process."""
        replica = self._of(caller)
        plans = None if replica is None else await replica.reached()
        if replica is not None and plans is not None:
            try:
                result = await plans.run(steps, snapshot, caller)
            except FAILURES:
                # A replica also cancels reads that delay its replay.
                self.moved += 1
            else:
                replica.reads += 1
                return result
        self.at_primary += 1
        return await self._primary.run(steps, snapshot, caller)

    @property
    def left(self) -> Mapping[int, str]:
        """Why replicas are not used, by their index in the setting `read_url`."""
        return {each.number: each.left.value for each in self.all if each.left is not None}

    def loads(self) -> Mapping[str, Load]:
        """The load of each replica's connections."""
        return {f"replica_{each.number}": each.plans.load for each in self.all if each.plans is not None}

    def observe(self, observer: Observer) -> None:
        """Call `observer` with each SQL text that a replica executes from now on."""
        for each in self.all:
            each.observer = observer

    async def close(self) -> None:
        """Release every replica."""
        await asyncio.gather(*(each.close() for each in self.all))

    def _of(self, caller: Caller) -> Replica | None:
        first = hash(caller) % len(self.all)
        return next((each for each in (*self.all[first:], *self.all[:first]) if each.left is None), None)
