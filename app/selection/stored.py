"""Finds what a plan reads of one stored row."""

from collections.abc import Sequence

from app.selection.catalogue import Catalogue
from app.selection.mapping import Permissions, TypeMap
from app.selection.scope import Detail
from app.storage.stored import Place


def stored_places(
    catalogue: Catalogue, permissions: Permissions, target: TypeMap, source: Detail
) -> Sequence[Place] | None:
    """The columns that are read, with the kind first. None unless all of them are in the row's own two tables, and
    visible to all who have these permissions."""
    base = catalogue.base(target)
    own = target.visible(permissions, source)
    part = base.narrows(permissions, source.base, target.value or "")
    of = {source.alias: base.table.name, source.joined(): target.table.name}
    columns = source.builder.columns
    if own is not True or part is not True or not all(getattr(column, "table", None) in of for column in columns):
        return None
    return [(base.table.name, base.discriminator), *((of[column.table], column.name) for column in columns)]
