"""What the database's roads count, for whoever watches a process."""

from typing import NamedTuple


class Tally:
    """Counts of commands. One thread at a time adds to each, and any may read."""

    __slots__ = ("commits", "retries", "units")

    def __init__(self) -> None:
        self.units = 0
        self.retries = 0
        self.commits = 0


class Load(NamedTuple):
    """Connections, or threads, that are open, those of them in use, and what waits for one."""

    open: int
    busy: int
    waiting: int
