"""What the database counts, for monitoring."""

from typing import NamedTuple


class Tally:
    """Counters of commands. Only one thread at a time adds to each; any thread may read."""

    __slots__ = ("commits", "retries", "units")

    def __init__(self) -> None:
        self.units = 0
        self.retries = 0
        self.commits = 0


class Load(NamedTuple):
    """Connections or threads: how many are open, how many in use, and how many tasks wait for one."""

    open: int
    busy: int
    waiting: int
