"""Lowers a valid GraphQL document to the neutral tree of fields."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, cast

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from app.core.errors import InvalidInput
from app.execution.arguments import Constants, arguments_of
from app.graph.strawberry_adapter.reading import identity_of
from app.selection.tree import Children, Field

TYPENAME = "__typename"


class RootField(NamedTuple):
    """A root field with what is needed to answer it. Fields of equal `shape` differ at most in their constants."""

    field: Field
    shape: bytes
    nodes: tuple[FieldNode, ...]
    definition: GraphQLField | None  # None: __typename, __schema or __type


class Lowered(NamedTuple):
    """The root fields of an operation in the order of the answer, and the constants that each run gets with its
    variables."""

    roots: tuple[RootField, ...]
    constants: Mapping[str, object]


class Lowering:
    """Lowers the operations of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._possible: dict[str, tuple[GraphQLObjectType, ...]] = {}
        self._names: dict[str, frozenset[str]] = {}
        for name, type_ in schema.type_map.items():
            if isinstance(type_, GraphQLObjectType):
                self._possible[name] = (type_,)
            elif isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
                self._possible[name] = tuple(schema.get_possible_types(type_))
            else:
                continue
            self._names[name] = frozenset(possible.name for possible in self._possible[name])

    def roots(
        self, document: DocumentNode, operation: OperationDefinitionNode, conditions: Mapping[str, object]
    ) -> Lowered:
        """The root fields; `conditions` are the values of the variables of @skip and @include.

        Raises InvalidInput for a condition that is null."""
        root_type = self._schema.get_root_type(operation.operation)
        assert root_type is not None
        run = _Run(self._possible, self._names, fragments_of(document), conditions)
        found = []
        for key, nodes in run.collect(root_type.name, (operation.selection_set,)).items():
            name = nodes[0].name.value
            definition = root_type.fields.get(name)
            field = Field(name, key) if definition is None else run.field(key, nodes, definition)
            found.append(RootField(field, run.shape(field), tuple(nodes), definition))
        return Lowered(tuple(found), run.constants.values)


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def condition_names(document: DocumentNode) -> tuple[str, ...]:
    """The variables that any @skip or @include of the document uses, sorted: plans depend on their values."""
    names = set()
    stack: list[SelectionNode] = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            stack.extend(definition.selection_set.selections)
    while stack:
        node = stack.pop()
        for directive in node.directives or ():
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    names.add(argument.value.name.value)
        inner = getattr(node, "selection_set", None)
        if inner is not None:
            stack.extend(inner.selections)
    return tuple(sorted(names))


class _Run:
    """One lowering. A selection on an interface is lowered once and shared by its types, so the tree is as large as the
    document and does not grow with the number of types."""

    def __init__(
        self,
        possible: Mapping[str, tuple[GraphQLObjectType, ...]],
        names: Mapping[str, frozenset[str]],
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, object],
    ) -> None:
        self._possible = possible
        self._names = names
        self._fragments = fragments
        self._conditions = conditions
        self._fields: dict[tuple[object, ...], Field] = {}
        self._children: dict[tuple[object, ...], Children] = {}
        self._shapes: dict[int, bytes] = {}  # of the fields that are not leaves without arguments, by identity
        self.constants = Constants()

    def field(self, key: str, nodes: Sequence[FieldNode], definition: GraphQLField) -> Field:
        named = get_named_type(definition.type)
        place = (identity_of(definition), named.name, *map(id, nodes))
        found = self._fields.get(place)
        if found is None:
            children = self._children_of(named, nodes) if named.name in self._possible else None
            made, arguments = arguments_of(definition, nodes[0], self.constants)
            found = self._fields[place] = Field(nodes[0].name.value, key, made, children)
            if arguments or children is not None:
                self._shapes[id(found)] = self._shape_of(found, arguments)
        return found

    def shape(self, field: Field) -> bytes:
        """The same for two fields that compile to the same. Another one cannot be made to have it."""
        return self._shapes.get(id(field)) or f"{field.name} {field.key}".encode()

    def _shape_of(self, field: Field, arguments: object) -> bytes:
        parts = [(type_, [self.shape(each) for each in fields]) for type_, fields in (field.children or {}).items()]
        return blake2b(repr((field.name, field.key, arguments, parts)).encode(), digest_size=32).digest()

    def _children_of(self, named: GraphQLNamedType, nodes: Sequence[FieldNode]) -> Children:
        place = (named.name, *map(id, nodes))
        found = self._children.get(place)
        if found is None:
            sets = [node.selection_set for node in nodes if node.selection_set is not None]
            found = self._children[place] = {
                type_.name: self._fields_of(type_, sets) for type_ in self._possible[named.name]
            }
        return found

    def _fields_of(self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> tuple[Field, ...]:
        made = []
        for key, nodes in self.collect(type_.name, sets).items():
            name = nodes[0].name.value
            made.append(Field(name, key) if name == TYPENAME else self.field(key, nodes, type_.fields[name]))
        return tuple(made)

    def collect(self, concrete: str, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields that apply to the concrete type, by response key, in the order of the document."""
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()

        def visit(selection_set: SelectionSetNode) -> None:
            for node in selection_set.selections:
                if node.directives and not self._included(node):
                    continue
                if isinstance(node, FieldNode):
                    grouped.setdefault((node.alias or node.name).value, []).append(node)
                    continue
                definition: InlineFragmentNode | FragmentDefinitionNode
                if isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name in visited:
                        continue
                    visited.add(name)
                    definition = self._fragments[name]
                else:
                    definition = cast("InlineFragmentNode", node)
                condition = definition.type_condition
                if condition is None or concrete in self._names[condition.name.value]:
                    visit(definition.selection_set)

        for selection_set in sets:
            visit(selection_set)
        return grouped

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                (argument,) = directive.arguments or ()
                value = argument.value
                asked = (
                    self._conditions.get(value.name.value)
                    if isinstance(value, VariableNode)
                    else cast("BooleanValueNode", value).value
                )
                if asked is None:
                    # A nullable variable may stand here when it has a default: null is found out only now.
                    raise InvalidInput(f"The condition of @{name} must not be null.", path=("if",))
                if asked == (name == "skip"):
                    return False
        return True
