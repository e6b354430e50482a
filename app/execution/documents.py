"""Parsed, checked and validated documents, kept by their text."""

from collections.abc import Hashable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FieldsOnCorrectTypeRule,
    GraphQLError,
    GraphQLSchema,
    KnownArgumentNamesRule,
    NameNode,
    Node,
    OperationDefinitionNode,
    StringValueNode,
    TokenKind,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from app.core import codes
from app.core.errors import InvalidInput, TooComplex
from app.core.recent import Recent
from app.execution import errors
from app.execution.coercion import Coercions
from app.execution.guard import Guard
from app.execution.limits import BadDefinition
from app.execution.literals import LiteralsOfCorrectType
from app.execution.lowering import condition_names
from app.execution.nulls import AbsentOrGiven
from app.execution.outcome import Phase, Refused
from app.graph.scalars import refuse_unstorable_text
from app.graph.strawberry_adapter.reading import EXACTLY_ONE

RULES = (
    *(LiteralsOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules),
    AbsentOrGiven,
    EXACTLY_ONE,
)
_SUGGESTING = (FieldsOnCorrectTypeRule, KnownArgumentNamesRule)
_MOST_ERRORS = 20
_MOST_BYTES = 512 * 1024  # of text; as nodes it is 20 to 100 times as much
_OVERHEAD = 4_096
_MOST_FIELDS = 8_000  # of plans; with its share of the statements each takes one to four kilobytes
_FIELDS_OF_AN_EMPTY_PLAN = 10
_MOST_VALID = 10_000  # digests of documents known to be valid
_MOST_NAMES = 10_000
_PLACED = (FieldNode, OperationDefinitionNode, VariableDefinitionNode)  # what errors of a run name a place of


class Made(Protocol):
    """The result of compiling an operation; `fields` is the number of its fields."""

    @property
    def fields(self) -> int: ...


class Prepared:
    """The compiled forms of one operation, held in a cache that all operations share."""

    def __init__(self, shared: Recent[Any]) -> None:
        self._shared = shared

    def get(self, key: Hashable) -> Any:
        """What was compiled under the key; None when the cache does not have it (any more)."""
        return self._shared.get((self, key))

    def put(self, key: Hashable, made: Made) -> None:
        """Keep what was compiled under the key; the cache may drop it, or others, for its size."""
        self._shared.put((self, key), made, _FIELDS_OF_AN_EMPTY_PLAN + made.fields)


class Operation:
    """One operation of a valid document, with everything compiled from it.

    It references the nodes of the document and not the document itself, so an evicted document is freed at once."""

    def __init__(
        self,
        node: OperationDefinitionNode,
        ast: DocumentNode,
        open_costs: frozenset[str | None],
        coercions: Coercions,
        plans: Recent[Any],
    ) -> None:
        self.node = node
        self.ast = ast
        self.name = node.name.value if node.name else None
        self.kind = node.operation
        self.kind_name: str = node.operation.value
        self.reader = coercions.variables(node)
        self.conditions = condition_names(ast)
        self.prepared = Prepared(plans)
        self.costs_depend = self.name in open_costs
        """Whether the cost has to be checked again with the values of the variables."""


class Document:
    """A valid document; `size` is the number of bytes of its text."""

    def __init__(self, operations: Iterable[Operation], size: int) -> None:
        self.size = size
        self.operations: Mapping[str, Operation] = {operation.name or "": operation for operation in operations}

    def operation(self, name: str | None) -> Operation:
        """The named one; the only one when no name is given. Raises Refused."""
        if name is not None and name != "":
            found = self.operations.get(name)
            if found is not None:
                return found
            message = f"The document has no operation named {name[:80]!r}."
        elif len(self.operations) == 1:
            return next(iter(self.operations.values()))
        elif self.operations:
            message = "The document has several operations. Name the one to run by operationName."
        else:
            message = "The document has no operation."
        raise Refused([errors.entry(message, codes.UNKNOWN_OPERATION)], Phase.OPERATION)


class Documents:
    """Parses and validates documents, and caches those in use."""

    def __init__(self, schema: GraphQLSchema, guard: Guard, *, suggestions: bool = True) -> None:
        self._schema = schema
        self._guard = guard
        self._suggestions = suggestions
        self._coercions = Coercions(self._schema)
        self._recent: Recent[Document] = Recent(_MOST_BYTES)
        self._valid: Recent[bool] = Recent(_MOST_VALID)
        self._names: dict[str, NameNode] = {}
        self.plans: Recent[Any] = Recent(_MOST_FIELDS)
        self.validated = 0
        """How many documents were validated."""

    def known(self, text: str) -> Document | None:
        """The cached document of a text, or None."""
        return self._recent.get(text)

    def keep(self, text: str, document: Document) -> None:
        """Add the document to the cache."""
        self._recent.put(text, document, document.size + _OVERHEAD)

    def read(self, text: str, most_tokens: int | None = None) -> Document:
        """The valid document of a text. `most_tokens` lowers the limit of tokens.

        Raises Refused. Only one thread at a time may call it; it may be another than that of `known` and `keep`."""
        limits = self._guard.limits
        size = len(text.encode(errors="surrogatepass"))
        if size > limits.document_bytes:
            raise _too_complex(f"The document has {size:,} bytes; the limit is {limits.document_bytes:,}.")
        tokens = limits.tokens if most_tokens is None else min(most_tokens, limits.tokens)
        try:
            ast = parse(text, max_lexical_tokens=tokens, max_comments=tokens)
        except GraphQLError as error:
            if "Document contains more than" in error.message:
                raise _too_complex(f"The document has too many tokens; the limit is {tokens:,}.") from None
            raise Refused([errors.from_graphql(error, codes.PARSE_FAILED)], Phase.PARSE) from None
        try:
            return self._checked(ast, size)
        finally:
            _unlink(ast)

    def _checked(self, ast: DocumentNode, size: int) -> Document:
        try:
            open_costs = self._guard.check(ast)
        except TooComplex as error:
            raise _too_complex(error.message) from None
        except BadDefinition as error:
            entry = errors.entry(str(error), codes.VALIDATION_FAILED, locations=errors.places([error.node]))
            raise Refused([entry], Phase.VALIDATION) from None
        digest = _digest(ast)
        if self._valid.get(digest) is None:
            self._validate(ast)
            self._valid.put(digest, True)
        _slim(ast, self._names)
        nodes = (node for node in ast.definitions if isinstance(node, OperationDefinitionNode))
        return Document((Operation(node, ast, open_costs, self._coercions, self.plans) for node in nodes), size)

    def _validate(self, ast: DocumentNode) -> None:
        self.validated += 1
        found = validate(self._schema, ast, RULES, _MOST_ERRORS, hide_suggestions=True)
        if len(found) == 1 and self._suggestions:
            # Each suggestion compares a name with all others of its set, so only a lone fault gets one, and none is
            # looked for among all types of the schema.
            found = validate(self._schema, ast, _SUGGESTING, 1) or found
        if found:
            raise Refused([errors.from_graphql(error, codes.VALIDATION_FAILED) for error in found], Phase.VALIDATION)
        _refuse_unstorable_literals(ast)


def _unlink(ast: DocumentNode) -> None:
    """Break the linked list of tokens. Each token references its neighbours; without this, the document would be freed
    only by a full garbage collection, which takes seconds for the tokens of some hundred documents."""
    token = None if ast.loc is None else ast.loc.start_token
    while token is not None:
        following = token.next
        token.next = token.prev = None
        token = following


def _slim(ast: DocumentNode, names: dict[str, NameNode]) -> None:
    """Drop all source locations but those that errors of a run name, and share one node for each name.

    A full garbage collection, during which all requests wait, visits every cached node; locations and names are most of
    a document."""
    if len(names) > _MOST_NAMES:
        names.clear()
    stack: list[tuple[Node, bool]] = [(ast, True)]
    while stack:
        node, is_placed = stack.pop()
        inside = is_placed and not isinstance(node, FieldNode)
        for key, value in vars(node).items():
            if isinstance(value, NameNode):
                object.__setattr__(value, "loc", None)
                object.__setattr__(node, key, names.setdefault(value.value, value))
            elif isinstance(value, Node):
                stack.append((value, inside))
            elif isinstance(value, tuple):
                stack.extend((item, inside) for item in value)
        if node.loc is not None and node is not ast:
            if is_placed and isinstance(node, _PLACED):
                node.loc.end_token = node.loc.start_token
            else:
                object.__setattr__(node, "loc", None)


def _digest(ast: DocumentNode) -> bytes:
    """A digest that ignores white space, comments and the name of an only operation."""
    operations = [node for node in ast.definitions if isinstance(node, OperationDefinitionNode)]
    name = operations[0].name if len(operations) == 1 else None
    left_out = None if name is None or name.loc is None else name.loc.start_token
    tokens = []
    token = None if ast.loc is None else ast.loc.start_token
    while token is not None:
        if token.kind is not TokenKind.COMMENT and token is not left_out:
            tokens.append((token.kind.value, token.value))
        token = token.next
    return blake2b(repr(tokens).encode(errors="surrogatepass"), digest_size=32).digest()


def _too_complex(message: str) -> Refused:
    return Refused([errors.entry(message, TooComplex.code)], Phase.VALIDATION)


def _refuse_unstorable_literals(ast: DocumentNode) -> None:
    texts = _Texts()
    visit(ast, texts)
    for node in texts.found:
        try:
            refuse_unstorable_text(node.value)
        except InvalidInput as error:
            entry = errors.entry(error.message, error.code, locations=errors.places([node]))
            raise Refused([entry], Phase.VALIDATION) from None


class _Texts(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[StringValueNode] = []

    def enter_string_value(self, node: StringValueNode, *_args: object) -> None:
        self.found.append(node)
