"""Transactions of upgrades: one per revision, or per step of it."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from app.storage.engines import ConfigurationError
from app.storage.refusals import waited_too_long

AT_ONCE = 20_000
"""The most rows that one transaction changes."""

ROWS = "id > :after AND id <= :last"
"""The condition by which a statement of `Steps.rows` finds its rows."""

_TRIES = 60
_PATIENCE_MS = 2_000
"""Longer than PostgreSQL's `deadlock_timeout`, after which autovacuum gives way to whoever waits for it."""
_LONGEST_MS = 120_000

_LAST = "SELECT max(id) FROM (SELECT id FROM {} WHERE id > :after ORDER BY id LIMIT :most) AS batch"
_PROGRESS = sa.Table(
    "migration_progress",
    sa.MetaData(),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger),
)
"""The progress of each step of the running revision. `position` is null when the step is done."""


class Superseded(Exception):
    """Another process has finished the revision between two of our transactions."""


class Steps:
    """The steps of one revision. Each step commits, so that a kill undoes at most one, and the next start continues.

    On SQLite, processes that start at once take turns at the steps."""

    def __init__(self) -> None:
        self._connection = op.get_bind()
        self._revision = op.get_context().get_current_revision()
        _PROGRESS.create(self._connection, checkfirst=True)

    def once(self, step: str, f: Callable[[], None]) -> None:
        """Call `f` in one transaction."""

        def whole(_: int) -> None:
            f()

        self.batches(step, whole)

    def batches(self, step: str, f: Callable[[int], int | None]) -> None:
        """Call `f` with 0, then with what it returned, each time in a transaction, until it returns None.

        Raises Superseded."""
        connection = self._connection
        key = {"step": step}
        while True:
            found = connection.execute(sa.select(_PROGRESS.c.position).filter_by(**key)).first()
            if found is not None and found.position is None:
                return
            position = f(0 if found is None else found.position)
            if found is None:
                connection.execute(sa.insert(_PROGRESS).values(position=position, **key))
            else:
                connection.execute(sa.update(_PROGRESS).values(position=position).filter_by(**key))
            commit(connection)
            if op.get_context().get_current_revision() != self._revision:
                raise Superseded

    def rows(self, step: str, table: str, *statements: str) -> None:
        """Execute the statements for all rows of the table, at most AT_ONCE rows per transaction.

        The statements select their rows by the condition ROWS. Raises Superseded."""

        def batch(after: int) -> int | None:
            last: int | None = self._connection.scalar(sa.text(_LAST.format(table)), {"after": after, "most": AT_ONCE})
            if last is not None:
                for statement in statements:
                    self._connection.execute(sa.text(statement), {"after": after, "last": last})
            return last

        self.batches(step, batch)

    def beside(self, table: str, *statements: str) -> None:
        """Execute statements outside of transactions, as PostgreSQL needs it to build an index of the table beside
        readers and writers.

        After a kill all of them are executed again. Raises ConfigurationError when an older transaction does not
        end."""
        connection = self._connection
        connection.commit()
        connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(f"SET lock_timeout = {_LONGEST_MS}")
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("RESET lock_timeout")
        except DBAPIError as error:
            if not waited_too_long(error):
                raise
            raise _held(table) from None
        connection.commit()
        connection.execution_options(isolation_level=connection.default_isolation_level)


def locking(tables: str, change: Callable[[], object], mode: str = "ACCESS EXCLUSIVE") -> Callable[[], None]:
    """The change, once nobody uses the tables in another way. Whoever comes meanwhile waits two seconds at most, then
    goes first.

    Raises ConfigurationError when somebody goes on using them."""

    def locked() -> None:
        connection = op.get_bind()
        for _ in range(_TRIES):
            try:
                with connection.begin_nested():
                    op.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
                    op.execute(f"LOCK TABLE {tables} IN {mode} MODE")
            except DBAPIError as error:
                if not waited_too_long(error):
                    raise
                op.execute("SELECT pg_sleep(1)")
            else:
                change()
                return
        raise _held(tables)

    return locked


def _held(tables: str) -> ConfigurationError:
    return ConfigurationError(
        f"Something holds {tables} for longer than two minutes: see pg_stat_activity, end it, then start again."
    )


def begin(connection: sa.Connection) -> None:
    """Begin a transaction that may write."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def commit(connection: sa.Connection) -> None:
    """Commit, and begin the next transaction."""
    connection.commit()
    begin(connection)


def commit_revision(ctx: MigrationContext, step: Any, **_: object) -> None:
    """Commit a revision that was applied. Raises ConfigurationError when a foreign key would point to no row, and
    Superseded."""
    connection = ctx.connection
    assert connection is not None
    _PROGRESS.drop(connection, checkfirst=True)
    if connection.dialect.name == "sqlite":
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if dangling:
            raise ConfigurationError(f"Migrating would leave {len(dangling)} rows pointing nowhere.")
    commit(connection)
    if ctx.get_current_revision() != step.up_revision_id:
        raise Superseded
