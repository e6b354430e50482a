"""Whether a database has the tables and indexes of this version."""

from collections.abc import Collection, Iterator

from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex

import app.schema  # noqa: F401 - its slices declare the tables of the one MetaData
from app.doctor.findings import Finding, fault, ok, warning
from app.storage.migrations import revisions
from app.storage.tables import metadata

TOPIC = "structure"


def structure(
    revision: str | None, indexes: Collection[str], broken: Collection[str], dialect: Dialect
) -> Iterator[Finding]:
    """The findings about a database at this revision with these indexes, of which `broken` are not usable.

    When the database is at the newest revision, one finding has the topic, without a fault."""
    known = revisions()
    if revision is None:
        yield warning(
            TOPIC, "The database has no tables yet.", "The next start of a server makes them, or `migrate` does."
        )
    elif revision not in known:
        yield fault(
            TOPIC,
            f"The database is at revision {revision}, which this version does not know: it is a newer version's.",
            "Install that version, or restore a backup from before the upgrade.",
        )
    elif revision != known[-1]:
        yield warning(
            TOPIC,
            f"The database is at revision {revision}, this version's is {known[-1]}.",
            "Stop the servers of the older version, make a backup, then start this one or run `migrate`.",
        )
    else:
        yield from _indexes(indexes, broken, dialect)
        yield ok(TOPIC, f"The database is at the newest revision, {revision}.")


def _indexes(found: Collection[str], broken: Collection[str], dialect: Dialect) -> Iterator[Finding]:
    declared = {str(index.name): index for table in metadata.tables.values() for index in table.indexes}
    missing = sorted(declared.keys() - set(found))
    for name in missing:
        statement = " ".join(str(CreateIndex(declared[name]).compile(dialect=dialect)).split())
        yield fault(
            "indexes", f"The index {name} is missing: reads take as long as the table is large.", f"{statement};"
        )
    for name in sorted(broken):
        yield fault("indexes", f"The index {name} is not usable.", f"REINDEX INDEX {name};")
    if not missing and not broken:
        yield ok("indexes", f"All {len(declared)} indexes are there.")
