"""The objects and limits that all deliveries of a process share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import random
from time import monotonic

from app.core.actor import Actor
from app.core.clock import Clock
from app.destinations.model.retries import Retries
from app.destinations.sending import Sender
from app.dispatcher.tenure import Tenure
from app.feed import Feed
from app.graph.context import Context
from app.live.subscriptions import Subscriptions
from app.settings import Settings
from app.storage.database import Database

_OPENED_AT_ONCE = 16
"""How many destinations are opened at once: a thousand would leave the rest of the server no turn."""


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """How often a process says that it lives, and checks that the others do; how often it looks for destinations while
    there are none and nothing is committed; how often it stores that nothing was to be delivered; how long it keeps its
    destinations after its last sign of life; and how long requests under way may take when it stops."""

    beat_seconds: float = 5.0
    rest_seconds: float = 60.0
    idle_seconds: float = 60.0
    lease: timedelta = timedelta(seconds=20)
    grace_seconds: float = 2.0
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True)
class FollowLimits:
    """How long one process keeps reading the log for policies after its last sign of life; how long commits are
    gathered before they are read; and the pauses without policies while nothing is heard, and after a failure."""

    lease: timedelta = timedelta(seconds=20)
    gather_seconds: float = 0.2
    rest_seconds: float = 60.0
    trouble_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The process's database, feed and subscriptions, its sender, and its right to deliver."""

    database: Database
    feed: Feed
    subscriptions: Subscriptions
    sender: Sender
    settings: Settings
    clock: Clock
    limits: DispatchLimits
    tenure: Tenure
    time: Callable[[], float] = monotonic
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_OPENED_AT_ONCE))
    jitter: Callable[[], float] = random

    def context(self, actor: Actor) -> Context:
        """The context in which an operation of the actor runs."""
        return Context(self.database, actor, self.settings, self.clock)
