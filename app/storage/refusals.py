"""Turns database failures into the errors that callers see."""

import sqlite3

import structlog
from sqlalchemy.exc import DBAPIError

from app.core.errors import OutcomeUnknown, Unavailable

_log = structlog.get_logger(__name__)

_CANNOT_WRITE_SQLITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_LOCK_TIMEOUT = "55P03"
_CANCELLED = "57014"
_READ_ONLY = "25006"
_CANNOT_WRITE_POSTGRESQL = ("53", "57", "58")
"""Classes of SQLSTATE: insufficient resources, operator intervention, system error."""


def sqlite_refusal(error: BaseException) -> Unavailable | None:
    """The error to raise for a transaction that was undone. None when the cause is a fault of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF if isinstance(cause, sqlite3.Error) else 0
    if code not in _CANNOT_WRITE_SQLITE:
        return None
    _log.error("the database cannot write", reason=getattr(cause, "sqlite_errorname", ""))
    if code == sqlite3.SQLITE_FULL:
        return Unavailable("The database is full; nothing was changed.")
    return Unavailable("The database cannot write now; nothing was changed.")


def sqlite_failed_commit(error: BaseException) -> OutcomeUnknown | None:
    """The error to raise for a COMMIT that may have reached the disk anyway. None for any other error."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.Error) else 0
    return outcome_unknown() if code == sqlite3.SQLITE_IOERR else None


def postgresql_refusal(error: BaseException) -> Unavailable | None:
    """The error to raise for a transaction that was undone. None when the cause is a fault of ours."""
    state = _state(error)
    if state == _LOCK_TIMEOUT:
        return Unavailable("Another command holds a lock that this one needs; nothing was changed. Try again.")
    if state == _CANCELLED:
        return Unavailable("This took too long; nothing was changed. Try again.")
    if state[:2] not in _CANNOT_WRITE_POSTGRESQL and state != _READ_ONLY:
        return None
    _log.error("the database cannot write", reason=state)
    if state == "53100":
        return Unavailable("The database is full; nothing was changed.")
    return Unavailable("The database cannot write now; nothing was changed.")


def waited_too_long(error: BaseException) -> bool:
    """Whether PostgreSQL has given up a statement at its limit of time, as for a lock that something else holds."""
    return _state(error) in (_LOCK_TIMEOUT, _CANCELLED)


def _state(error: BaseException) -> str:
    found = error.orig if isinstance(error, DBAPIError) else None
    return getattr(found, "sqlstate", None) or ""


def outcome_unknown() -> OutcomeUnknown:
    """The error for a commit that may or may not have taken place."""
    return OutcomeUnknown("The database failed during the commit. It is not known whether this was done.")
