"""Moving windows of a minute in the memory of one process."""

from collections.abc import Callable, Hashable
from math import floor
from time import monotonic
from typing import NamedTuple

MINUTE = 60.0

_MANY = 1_000
_MOMENT = 0.001  # by which a wait is longer than calculated, so that it is over when it is over


class Usage(NamedTuple):
    """What a caller has used: the amounts of the running minute and of the one before it, and the seconds for which
    each still counts.

    The minute before counts by the part of it that is less than a minute ago, as `limits` has it in its sliding window
    counters: two numbers for a caller, however much it asks for."""

    before: float
    before_ends: float
    now: float
    now_ends: float
    minute: float = MINUTE

    @property
    def used(self) -> int:
        """The amount that counts against a share."""
        return floor(self.before * self.before_ends / self.minute + self.now)

    @property
    def ends_in(self) -> float:
        """The seconds until nothing of it counts any more."""
        return self.now_ends if self.now else self.before_ends if self.before else 0.0

    def room_in(self, amount: float, share: float) -> float:
        """The seconds until this amount fits into the share, which is no smaller."""
        most = share - amount + 1  # `used` has to be less
        if self.before * self.before_ends / self.minute + self.now < most:
            return 0.0
        if self.now < most:
            return self.before_ends - (most - self.now) * self.minute / self.before + _MOMENT
        # Not before the running minute has become the one before.
        return self.now_ends - min(most / self.now, 1) * self.minute + _MOMENT


NOTHING = Usage(0, 0.0, 0, 0.0)


class Window:
    """What each caller has used. The first use begins a minute, and the next one follows it."""

    def __init__(self, time: Callable[[], float] = monotonic, minute: float = MINUTE) -> None:
        self._time = time
        self._minute = minute
        self._held: dict[Hashable, tuple[float, float, float]] = {}  # before, now, and since when
        self._many = _MANY

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._held)

    def usage(self, who: Hashable) -> Usage:
        """What the caller has used."""
        held = self._held.get(who)
        if held is None:
            return NOTHING
        before, now, since = held
        age, minute = self._time() - since, self._minute
        if age < minute:
            return Usage(before, minute - age, now, 2 * minute - age, minute)
        if age < 2 * minute:
            return Usage(now, 2 * minute - age, 0, 3 * minute - age, minute)
        return NOTHING

    def take(self, who: Hashable, amount: float, share: float) -> bool:
        """Count the amount if it fits into the share; whether it did."""
        if self.usage(who).used + amount > share:
            return False
        self.add(who, amount)
        return True

    def add(self, who: Hashable, amount: float) -> None:
        """Count the amount, also beyond any share."""
        at, usage = self._time(), self.usage(who)
        if usage is NOTHING:
            self._forget(at)
            self._held[who] = 0, amount, at
        else:
            self._held[who] = usage.before, usage.now + amount, at + usage.now_ends - 2 * self._minute

    def _forget(self, at: float) -> None:
        """Forget those of whom nothing counts any more, once there are many."""
        if len(self._held) >= self._many:
            self._held = {who: held for who, held in self._held.items() if at - held[2] < 2 * self._minute}
            self._many = max(_MANY, 2 * len(self._held))
