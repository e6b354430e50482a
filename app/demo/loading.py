"""Loading the demo data: the small set through the services, the large ones in bulk."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from app.core.errors import Conflict
from app.demo.bulk.loading import load_bulk
from app.demo.small.loading import load_small
from app.interactions.tables import interaction
from app.storage.database import Database
from app.storage.work import Work

VERSION = 1
"""Counts up when what is loaded changes, for whoever keeps a loaded database."""

SMALL = "small"
SIZES: Mapping[str, int] = {"100k": 100_000, "1m": 1_000_000}
"""The bulk sizes, as interactions; with ten messages each."""

Report = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


class Loaded(NamedTuple):
    """What was loaded; nothing when the small set was there already."""

    interactions: int
    messages: int
    was_there: bool = False


async def load(database: Database, size: str | int, report: Report, *, force: bool = False) -> Loaded:
    """Load `small`, `100k`, `1m`, or a number of interactions in bulk, into a database without interactions.

    With `force` it is added to what is there; the small set is never loaded twice. Raises Conflict for a database that
    has interactions, KeyError for another size."""
    count = size if isinstance(size, int) else None if size == SMALL else SIZES[size]
    if count is None:
        return Loaded(*await load_small(database, report, refuse=None if force else _not_empty))
    if not force and await database.command(has_interactions):
        raise _not_empty()
    return Loaded(*await load_bulk(database, count, report))


def has_interactions(work: Work) -> bool:
    """Whether there is any interaction."""
    return bool(work.connection.execute(sa.select(sa.exists().select_from(interaction))).scalar_one())


def _not_empty() -> Conflict:
    return Conflict("The database holds interactions already. --force adds the demo to them.")
