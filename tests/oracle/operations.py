"""Operations for the oracle: shapes that a schema allows, and arguments that hit what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
)
from hypothesis import strategies as st

from app.graph.strawberry_adapter.reading import may_only_be_absent
from tests.graph.running import SCHEMA
from tests.oracle.shapes import Shape, generated, wide

Pools = Mapping[str, Sequence[Any]]
"""Values to draw from: by `Type.field.argument`, by `InputType.field`, by an argument's name, or by a scalar's."""

PAGING = ("first", "after", "last", "before")
WRONG: Sequence[dict[str, Any]] = (
    {"first": 0},
    {"first": 101},
    {"last": -1},
    {"first": 1, "last": 1},
    {"after": "nonsense"},
    {"first": 1, "before": "WyJhIl0"},
    {"last": 1, "after": "WyJhIl0"},
)


@dataclass(frozen=True)
class Operation:
    """A document with its variables."""

    text: str
    variables: Mapping[str, Any]


@dataclass
class Writer:
    """Writes a generated shape down again, with arguments, aliases, directives and fragments of its own."""

    schema: GraphQLSchema
    random: Random
    pools: Pools
    variables: dict[str, Any] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def operation(self, shapes: Sequence[Shape]) -> Operation:
        assert self.schema.query_type is not None
        body = self.selections(shapes, self.schema.query_type, root=True)
        head = f"query({', '.join(self.definitions)}) " if self.definitions else ""
        return Operation("\n".join([f"{head}{body}", *self.fragments]), self.variables)

    def selections(self, shapes: Sequence[Shape], parent: Any, *, root: bool = False) -> str:
        written = []
        for shape in shapes:
            if shape.on is None:
                written.append(self.field(shape, parent, root=root))
                continue
            inner = self.selections(shape.children, self.schema.type_map[shape.on])
            if self.chance(4):
                fragment = f"F{len(self.fragments)}"
                self.fragments.append(f"fragment {fragment} on {shape.on} {inner}")
                written.append(f"...{fragment}")
            else:
                written.append(f"... on {shape.on} {inner}")
        if self.chance(6):
            written.append("__typename")
        return "{ " + " ".join(written) + " }"

    def field(self, shape: Shape, parent: Any, *, root: bool) -> str:
        definition: GraphQLField = parent.fields[shape.name]
        alias = shape.alias
        if definition.args or (alias is None and self.chance(10)):
            # Two fields of one response name may not differ in arguments.
            self.aliases += 1
            alias = f"a{self.aliases}"
        text = f"{alias}: {shape.name}" if alias else shape.name
        if definition.args:
            text += self.arguments(f"{parent.name}.{shape.name}", definition.args, root=root)
        if self.chance(12) and not root:
            text += f" @include(if: {self.variable('Boolean!', self.chance(2))})"
        if shape.children:
            text += " " + self.selections(shape.children, get_named_type(definition.type))
        return text

    def arguments(self, where: str, arguments: Mapping[str, GraphQLArgument], *, root: bool) -> str:
        written = []
        values = self.paging(where, root=root) if "last" in arguments else {}
        for name, argument in arguments.items():
            if name in values:
                value = values[name]
            elif (name in PAGING and "last" in arguments) or (
                not isinstance(argument.type, GraphQLNonNull) and self.chance(2)
            ):
                continue
            else:
                value = self.value(argument.type, (f"{where}.{name}", name))
            if self.chance(2):
                written.append(f"{name}: {self.variable(str(argument.type), value)}")
            else:
                written.append(f"{name}: {literal(value, argument.type)}")
        return f"({', '.join(written)})" if written else ""

    def paging(self, where: str, *, root: bool) -> dict[str, Any]:
        """The arguments of a page; with a cursor the order that it belongs to."""
        cursors = self.pools.get(f"{where}.cursor", ())
        mode = self.random.choice(
            ("none", "first", "first", "after", "last", "before", *(("wrong",) if self.chance(3) else ()))
        )
        size = self.random.choice((1, 2, 3, 5, 30) if root else (1, 2, 3))
        if mode in ("none", "first") or (mode in ("after", "before") and not cursors):
            return {"first": size}
        if mode == "last":
            return {"last": size}
        if mode == "wrong":
            # Below a root field it depends on what is there whether anybody notices.
            return dict(self.random.choice(WRONG)) if root else {"first": size}
        cursor, order = self.random.choice(cursors)
        found = {"first": size, "after": cursor} if mode == "after" else {"last": size, "before": cursor}
        return found if order is None else {**found, "orderBy": order}

    def value(self, type_: GraphQLInputType, places: Sequence[str]) -> Any:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self.chance(12):
            return None
        if isinstance(type_, GraphQLList):
            size = self.random.choice((0, 1, 1, 2, 3))
            return [self.value(type_.of_type, places) for _ in range(size)]
        if isinstance(type_, GraphQLEnumType):
            return self.random.choice(sorted(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            names = sorted(type_.fields)
            chosen = self.random.sample(names, self.random.choice((0, 1, 1, 2, 3)) if len(names) > 2 else 1)
            chosen += [name for name in names if isinstance(type_.fields[name].type, GraphQLNonNull)]
            found = {}
            for name in dict.fromkeys(chosen):
                value = self.value(type_.fields[name].type, (f"{type_.name}.{name}", name))
                if value is not None or not _refuses_null(type_.name, name):
                    found[name] = value
            return found
        if type_.name == "Boolean":
            return self.chance(2)
        for place in (*places, type_.name):
            if self.pools.get(place):
                return self.random.choice(self.pools[place])
        raise LookupError(f"nothing to draw for {places} of type {type_}")

    def variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = value
        self.definitions.append(f"${name}: {type_}")
        return f"${name}"

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0


def _refuses_null(type_name: str, field: str) -> bool:
    """Whether a field may only be left out; the schema that is asked here has no means to say so."""
    declared: Any = SCHEMA.type_map[type_name]
    return may_only_be_absent(declared.fields[field])


def literal(value: Any, type_: GraphQLInputType) -> str:
    """The value as it stands in a document."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        return "[" + ", ".join(literal(each, type_.of_type) for each in value) + "]"
    if isinstance(type_, GraphQLEnumType):
        return str(value)
    if isinstance(type_, GraphQLInputObjectType):
        return (
            "{" + ", ".join(f"{name}: {literal(each, type_.fields[name].type)}" for name, each in value.items()) + "}"
        )
    return orjson.dumps(value).decode()


@st.composite
def operations(draw: st.DrawFn, schema: GraphQLSchema, pools: Pools, root: str) -> Operation:
    """Queries of this root field: half of them as hypothesis-graphql shapes them, half of them wide and deep."""
    random = draw(st.randoms(use_true_random=True))
    shapes = draw(generated(schema, root)) if random.randrange(2) else [wide(schema, random, root)]
    return Writer(schema, random, pools).operation(shapes)
