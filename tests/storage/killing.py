"""Migrations in processes of their own, which may kill themselves; imports little, for it is started often."""

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from app.storage.migrations import migrate, steps

if TYPE_CHECKING:
    import sqlalchemy as sa


def migrate_until_killed(database_url: str, commits: int) -> None:
    """Migrate a row at a time, and die in the transaction after so many."""
    left = commits
    commit = steps.commit

    def commit_or_die(connection: "sa.Connection") -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(connection)

    steps.commit, steps.AT_ONCE = commit_or_die, 1
    asyncio.run(migrate(database_url))


def migrate_in_process(database_url: str) -> None:
    """Migrate to the end."""
    asyncio.run(migrate(database_url))
