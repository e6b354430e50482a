"""What a plan has cost so far, and whether it is cheap enough for the loop."""

CHEAP_SECONDS = 0.000_4
"""Processor time of a plan, on average, below which a change of threads would cost more than what it protects."""

LONGEST_ON_LOOP = 0.002
"""Processor time after which a plan that runs on the loop is stopped, and starts again in a reader's thread."""

RUNS_TO_LEARN = 8
"""Runs in a reader's thread after which a plan may be cheap."""

_RUNS_AFTER_STOP = 1_000
_WEIGHT = 0.2


class Cost:
    """The moving average of a plan's processor time. One that was not cheap on the loop once stays away for long."""

    __slots__ = ("_average", "_to_learn")

    def __init__(self) -> None:
        self._average = 0.0
        self._to_learn = RUNS_TO_LEARN

    @property
    def is_cheap(self) -> bool:
        """Whether the plan may run on the loop."""
        return self._to_learn <= 0 and self._average < CHEAP_SECONDS

    def ran(self, seconds: float) -> None:
        """The plan took so much processor time. Any thread may say so: what is lost between two matters little."""
        if seconds > LONGEST_ON_LOOP and self.is_cheap:
            self.stopped()
        self._to_learn -= 1
        self._average += (seconds - self._average) * _WEIGHT

    def stopped(self) -> None:
        """The plan took too long for the loop."""
        self._to_learn = _RUNS_AFTER_STOP
