"""What a command leaves of a row is what a read of that row gives."""

from typing import Any

import pytest

from app.core.ids import require_id
from app.interactions.service.change import kind_of
from app.interactions.tables import interaction
from app.storage.database import Work
from app.storage.query import Query
from app.storage.stored import Stored
from tests.graph.filled import Filled

pytestmark = pytest.mark.anyio

# Computed by the database, or no part of an interaction's model.
NOT_STORED = {("interaction", "active_at"), ("interaction", "due_failures")}


async def test_stored_columns_are_those_that_a_read_gives(filled: Filled) -> None:
    database = filled.graph.database
    compared: set[tuple[str, str]] = set()
    for given in filled.interactions:

        def left(work: Work, given: str = given) -> Stored:
            ref = require_id(given, given.partition("_")[0])
            kind: Any = kind_of(work, ref)
            stored: Stored = work.use(kind.repository).stored(kind.load(work, ref.number))
            return stored

        stored = await database.command(left)
        for table, column in stored.columns:
            sql = f"SELECT {column} FROM {table} WHERE id = {int(stored)}"

            def steps(sql: str = sql):  # type: ignore[no-untyped-def]
                (row,) = yield Query(sql)
                return row[0]

            read = await database.plan(steps, snapshot=False, caller=1)
            assert stored.value((table, column)) == read, (given, table, column)
            compared.add((table, column))
    common = {("interaction", column.name) for column in interaction.columns}
    assert common - compared == NOT_STORED
    assert {table for table, _ in compared} == {
        "interaction",
        "session",
        "conversation",
        "agent_session",
        "chat_session",
    }
