"""Two tables that the storage tests may write to, beside the real ones."""

import pytest
import sqlalchemy as sa

from app.storage.database import Database, Work
from app.storage.tables import BigId, JsonText, JsonValue, Timestamp

scratch = sa.MetaData()
counter = sa.Table("counter", scratch, sa.Column("id", BigId, primary_key=True), sa.Column("value", BigId))
sample = sa.Table(
    "sample",
    scratch,
    sa.Column("id", BigId, sa.Identity(), primary_key=True),
    sa.Column("at", Timestamp),
    sa.Column("text", JsonText),
    sa.Column("value", JsonValue),
    sa.Column("name", sa.Text, unique=True),
    sa.Column("flag", sa.Boolean),
    sqlite_autoincrement=True,
)


@pytest.fixture
async def scratch_database(database: Database) -> Database:
    await database.command(_make)
    return database


def _make(work: Work) -> None:
    scratch.create_all(work.connection)
    work.connection.execute(sa.insert(counter), [{"id": 1, "value": 0}, {"id": 2, "value": 0}])


def increment(work: Work, key: int = 1) -> int:
    """Read, then write: loses updates wherever units overlap."""
    read = sa.select(counter.c.value).where(counter.c.id == key).with_for_update()
    value: int = work.connection.execute(read).scalar_one() + 1
    work.connection.execute(sa.update(counter).where(counter.c.id == key).values(value=value))
    return value


def value_of(work: Work, key: int = 1) -> int | None:
    value: int | None = work.connection.execute(sa.select(counter.c.value).where(counter.c.id == key)).scalar_one()
    return value
