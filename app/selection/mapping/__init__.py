"""How the graph's types lie in the tables: the vocabulary in which every slice's repository maps its types.

A GraphQL field `createdAt` is the column `created_at` of its type's table, converted by the column's type, unless the
type's `fields` say otherwise. Names in `fields`, `filters` and `where` are the graph's camelCase field names and the
snake_case names of arguments."""

from app.selection.mapping.env import Env, Permissions, Scope, Sql, SqlOf, granted
from app.selection.mapping.fields import Column, Computed, Embedded, FieldMap, Id, Inline, Many, One, Owned, keyed
from app.selection.mapping.filters import ME, Filter, Order, Stream, by_value, equals, one_of, reference
from app.selection.mapping.roots import (
    Bind,
    Grouping,
    Read,
    Root,
    RootMany,
    RootNode,
    RootOne,
    RootSteps,
    RootTally,
    by_columns,
    by_id,
)
from app.selection.mapping.types import (
    InlineMap,
    InterfaceMap,
    Mapped,
    ObjectId,
    ObjectMap,
    ObjectRef,
    TypeMap,
    UnionMap,
    visible_to_all,
)

__all__ = [
    "ME",
    "Bind",
    "Column",
    "Computed",
    "Embedded",
    "Env",
    "FieldMap",
    "Filter",
    "Grouping",
    "Id",
    "Inline",
    "InlineMap",
    "InterfaceMap",
    "Many",
    "Mapped",
    "ObjectId",
    "ObjectMap",
    "ObjectRef",
    "One",
    "Order",
    "Owned",
    "Permissions",
    "Read",
    "Root",
    "RootMany",
    "RootNode",
    "RootOne",
    "RootSteps",
    "RootTally",
    "Scope",
    "Sql",
    "SqlOf",
    "Stream",
    "TypeMap",
    "UnionMap",
    "by_columns",
    "by_id",
    "by_value",
    "equals",
    "granted",
    "keyed",
    "one_of",
    "reference",
    "visible_to_all",
]
