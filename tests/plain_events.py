"""Events hold nothing but what reading the log gives back."""

from collections.abc import Sequence
from datetime import datetime

import orjson
import pytest
import sqlalchemy as sa

from app.core.events import EventRecord
from app.storage import postgresql, sqlite_commands
from app.storage.event_log import writing
from app.storage.event_log.writing import Entry, encode
from app.storage.tables import moment_of


def require_plain_events(patch: pytest.MonkeyPatch) -> None:
    """Fail every unit whose events are others when they are read back.

    The process that commits them hands them to its listeners as they are; all other processes read them."""
    for module in (postgresql, sqlite_commands, writing):
        patch.setattr(module, "encode", _checked)


def _checked(events: Sequence[EventRecord], at: datetime, dialect: sa.Dialect) -> list[tuple[EventRecord, Entry]]:
    made = encode(events, at, dialect)
    for event, entry in made:
        _require_same(event.topic, event.data, orjson.loads(str(entry[-1])))
        _require_same(event.topic, at, moment_of(entry[0]))
    return made


def _require_same(where: str, given: object, read: object) -> None:
    assert type(given) is type(read), f"{where}: {given!r} is read back as {read!r}"
    if isinstance(given, dict) and isinstance(read, dict):
        assert list(given) == list(read), where
        for name, value in given.items():
            _require_same(f"{where}.{name}", value, read[name])
    elif isinstance(given, list) and isinstance(read, list):
        assert len(given) == len(read), where
        for one, other in zip(given, read, strict=True):
            _require_same(where, one, other)
    else:
        assert given == read, f"{where}: {given!r} is read back as {read!r}"
