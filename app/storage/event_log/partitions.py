"""Makes, begins and drops the partitions of PostgreSQL's event log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from app.storage.refusals import waited_too_long
from app.storage.work import Work

ERAS = 8
"""In how many eras the time of retention is divided. An entry stays an era longer than a cursor leads to it. Reads
without a cursor look into all of them."""

AHEAD = 0.125
"""The part of an era before whose end the next partition is made. From then on readers of the newest look into both."""

_PATIENCE_MS = 200
"""How long the log's lock is waited for. Readers and writers that come meanwhile wait too."""

_LANES_MS = 3_000
"""How long the locks of all lanes are waited for together. Writers to those that are locked wait too."""

_log = structlog.get_logger(__name__)

_STANDING = """
SELECT log_era.era, log_era.began_at, to_regclass('event_log_' || (log_era.era + 1)) IS NOT NULL AS has_next,
  (SELECT count(DISTINCT era) FROM log_era) AS kept
FROM log_era JOIN lane ON lane.id = log_era.lane AND lane.era = log_era.era WHERE lane.id = 0
"""
_FORGOTTEN = """
SELECT min(era) FROM log_era WHERE era < (
  SELECT max(passed.era) FROM (
    SELECT log_era.era FROM log_era JOIN lane ON lane.id = log_era.lane
    GROUP BY log_era.era HAVING bool_and(lane.oldest >= log_era.first)
  ) AS passed
)
"""


class Standing(NamedTuple):
    """The newest era, when it began, whether the partition of the next one is made, and how many eras are kept."""

    era: int
    began_at: datetime
    has_next: bool
    kept: int


def standing(connection: sa.Connection) -> Standing:
    """How the partitions of PostgreSQL's log stand."""
    return Standing._make(connection.exec_driver_sql(_STANDING).one())


def forgotten(connection: sa.Connection) -> int | None:
    """The oldest era, if no cursor leads to an entry of it any more."""
    found: int | None = connection.exec_driver_sql(_FORGOTTEN).scalar()
    return found


def keep_partitions(work: Work) -> bool:
    """On PostgreSQL, make the partition of the next era, and begin that when it is due. Returns False: what is left to
    do is done the next time.

    A partition is made long before its era begins, so that every statement which may write into it knows of it."""
    if work.dialect_name == "postgresql" and _due(work) is not None:
        _patiently(work.connection, lambda: _keep(work))
    return False


def drop_forgotten(connection: sa.Connection) -> bool:
    """Drop the partition of the oldest era, if no cursor leads to it. Returns whether it was dropped."""
    return forgotten(connection) is not None and _patiently(connection, lambda: _drop(connection))


def _due(work: Work) -> Callable[[Work, int], None] | None:
    found = standing(work.connection)
    whole = work.settings.event_retention / ERAS
    left = whole - (work.now - found.began_at)
    if left <= AHEAD * whole and not found.has_next:
        return _make
    return _begin if left <= timedelta(0) else None


def _patiently(connection: sa.Connection, change: Callable[[], bool]) -> bool:
    """What the change returns, or False with nothing changed when others hold for too long what it has to lock."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
            return change()
    except DBAPIError as error:
        if not waited_too_long(error):
            raise
        _log.info("the event log is in use, so its partitions stay as they are; it is tried again")
        return False


def _keep(work: Work) -> bool:
    # One process at a time, and it looks again, for another may have done it. Readers do not wait for this lock.
    work.connection.exec_driver_sql("LOCK TABLE log_era IN SHARE ROW EXCLUSIVE MODE")
    due = _due(work)
    if due is not None:
        due(work, standing(work.connection).era + 1)
    return due is not None


def _make(work: Work, era: int) -> None:
    # To attach a table takes a lock that holds up no reader and no writer. To make it as a partition would.
    work.connection.exec_driver_sql(
        f"CREATE TABLE event_log_{era} (LIKE event_log, CONSTRAINT pk_event_log_{era} PRIMARY KEY (lane, position))"
    )
    work.connection.exec_driver_sql(f"ALTER TABLE event_log ATTACH PARTITION event_log_{era} FOR VALUES IN ({era})")


def _begin(work: Work, era: int) -> None:
    # All lanes at once, in the order in which units lock several of them.
    work.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_LANES_MS}")
    work.connection.exec_driver_sql("SELECT id FROM lane ORDER BY id FOR UPDATE")
    work.connection.exec_driver_sql(
        "INSERT INTO log_era (lane, era, first, began_at) SELECT id, $1::integer, head + 1, $2::timestamptz FROM lane",
        (era, work.now),
    )
    work.connection.exec_driver_sql("UPDATE lane SET era = $1::integer, first = head + 1", (era,))
    _log.info("a new partition of the event log has begun", era=era)


def _drop(connection: sa.Connection) -> bool:
    # The log's own lock goes first, as in a statement that reads it.
    connection.exec_driver_sql("LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE")
    era = forgotten(connection)
    if era is None:
        return False
    connection.exec_driver_sql(f"DROP TABLE event_log_{era}")
    connection.exec_driver_sql("DELETE FROM log_era WHERE era = $1::integer", (era,))
    _log.info("a partition of the event log was dropped", era=era)
    return True
