"""Prepares operations: lowers them and compiles them for a set of permissions."""

from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from graphql import FieldNode, GraphQLNonNull, GraphQLSchema, get_named_type

from app.execution.documents import Operation
from app.execution.lowering import TYPENAME, Lowered, Lowering, RootField
from app.graph.strawberry_adapter.calling import Call, Calls
from app.selection.tree import Field

if TYPE_CHECKING:
    from app.graph.context import Context
    from app.selection.plan import Plan

Permissions = frozenset[str] | None


class Compiler(Protocol):
    """The part of app.selection.compiler.Compiler that operations use."""

    def query(self, fields: Sequence[Field], permissions: Permissions) -> "Plan":
        """The plan of an operation's root fields. Raises TooComplex when a statement would join too much."""

    def payload(self, type_name: str, fields: Sequence[Field], permissions: Permissions) -> "Plan":
        """The plan of a selection on one object, which the plan's variables name."""


@dataclass(slots=True)
class Query:
    """A query with its plan; `fields` is the number of fields of the plan."""

    plan: "Plan | None"
    roots: tuple[RootField, ...]
    nodes: Mapping[str, tuple[FieldNode, ...]]
    introspective: tuple[FieldNode, ...]
    mixed: bool  # __typename, __schema or __type stand beside or instead of fields that are read
    constants: Mapping[str, object]
    fields: int


@dataclass(slots=True)
class Mutation:
    """A root field of a mutation with the plan of its payload."""

    root: RootField
    call: Call | None  # None: __typename
    plan: "Plan | None"
    nullable: bool


class Mutations(NamedTuple):
    """The root fields of a mutation, in order; `fields` is the number of fields of their plans."""

    all: Sequence[Mutation]
    constants: Mapping[str, object]
    fields: int


class Preparer:
    """Lowers and compiles the operations of one schema; not thread-safe.

    Operations that differ only in constants share a plan while one of them is cached."""

    def __init__(self, schema: GraphQLSchema, compiler: Compiler) -> None:
        self._calls = Calls()
        self.compiler = compiler
        self._lowering = Lowering(schema)
        self.plans: MutableMapping[Hashable, Plan] = WeakValueDictionary()

    def lowered(self, operation: Operation, variables: Mapping[str, object]) -> Lowered:
        """The root fields of an operation. Raises InvalidInput for a condition that is null."""
        return self._lowering.roots(operation.ast, operation.node, variables)

    def query(self, operation: Operation, permissions: Permissions, variables: Mapping[str, object]) -> Query:
        """A query, ready to run. Raises InvalidInput and TooComplex."""
        roots, constants = self.lowered(operation, variables)
        read = [root for root in roots if root.definition is not None]
        return Query(
            plan=self.plan(read, permissions) if read else None,
            roots=roots,
            nodes={root.field.key: root.nodes for root in roots},
            introspective=tuple(
                node for root in roots if root.definition is None and root.field.name != TYPENAME for node in root.nodes
            ),
            mixed=len(read) < len(roots),
            constants=constants,
            fields=fields_in(roots),
        )

    def mutations(self, operation: Operation, permissions: Permissions, variables: Mapping[str, object]) -> Mutations:
        """The root fields of a mutation, ready to run. Raises InvalidInput and TooComplex."""
        roots, constants = self.lowered(operation, variables)
        return Mutations([self._mutation(root, permissions) for root in roots], constants, fields_in(roots))

    def _mutation(self, root: RootField, permissions: Permissions) -> Mutation:
        definition = root.definition
        if definition is None:
            return Mutation(root, None, None, nullable=False)
        return Mutation(
            root,
            self._calls.prepare(definition, root.field.arguments),
            self.payload(root, get_named_type(definition.type).name, permissions),
            nullable=not isinstance(definition.type, GraphQLNonNull),
        )

    def plan(self, roots: Sequence[RootField], permissions: Permissions) -> "Plan":
        """The plan of root fields of Query."""
        key = (permissions, *(root.shape for root in roots))
        return self._shared(key, lambda: self.compiler.query([root.field for root in roots], permissions))

    def payload(self, root: RootField, type_name: str, permissions: Permissions) -> "Plan":
        """The plan of a root field's selection on a type whose rows are given."""
        fields = (root.field.children or {}).get(type_name, ())
        key = (permissions, type_name, root.shape)
        return self._shared(key, lambda: self.compiler.payload(type_name, fields, permissions))

    def _shared(self, key: Hashable, make: Callable[[], "Plan"]) -> "Plan":
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = make()
        return plan


def fields_in(roots: Iterable[RootField]) -> int:
    """The number of fields of the trees, each counted once where several types share it."""
    seen: set[int] = set()
    stack = [root.field for root in roots]
    while stack:
        field = stack.pop()
        if id(field) not in seen:
            seen.add(id(field))
            for fields in (field.children or {}).values():
                stack.extend(fields)
    return len(seen)


def kept_under(permissions: Permissions, operation: Operation, variables: Mapping[str, object]) -> Hashable:
    """The cache key of an operation for these permissions and variables."""
    if not operation.conditions:
        return (permissions,)
    return (permissions, *[variables.get(name) for name in operation.conditions])


def with_constants(variables: dict[str, Any], constants: Mapping[str, object]) -> dict[str, Any]:
    """The values that the arguments of a run are read from."""
    return {**variables, **constants} if constants else variables


def permissions_of(context: "Context") -> frozenset[str] | None:
    """The permissions that plans are compiled for; None for all of them."""
    return None if context.actor.is_admin else context.actor.permissions
