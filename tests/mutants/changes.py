"""The small changes that can be made to a module."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}
_BOOLEANS: dict[type[ast.boolop], tuple[str, str]] = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
_TYPES = frozenset({"annotation", "returns", "type_params", "decorator_list", "bases"})


@dataclass(frozen=True, slots=True)
class Change:
    """The bytes of a module from `start` to `end`, in `line`, are replaced by `new`."""

    line: int
    start: int
    end: int
    old: str
    new: str

    def applied(self, source: bytes) -> bytes:
        """The module with the change."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def changes(source: bytes) -> list[Change]:
    """Every small change of a module, in the order of its text. Each result can be parsed."""
    tree = ast.parse(source)
    found = _Module(source).of(tree)
    return sorted((each for each in found if _parses(each.applied(source))), key=lambda each: (each.start, each.new))


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


class _Module:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def of(self, node: ast.AST) -> Iterator[Change]:
        """The changes of a node and of everything in it, except types and what only a type checker runs."""
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        yield from self._own(node)
        for name, value in ast.iter_fields(node):
            if name not in _TYPES:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from self.of(child)

    def _own(self, node: ast.AST) -> Iterator[Change]:
        match node:
            case ast.Compare():
                terms = [node.left, *node.comparators]
                for before, operator, after in zip(terms, node.ops, terms[1:], strict=False):
                    yield from self._between(before, after, *_COMPARISONS[type(operator)])
            case ast.BoolOp():
                for before, after in zip(node.values, node.values[1:], strict=False):
                    yield from self._between(before, after, *_BOOLEANS[type(node.op)])
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                yield from self._between(node.left, node.right, *_ARITHMETIC[type(node.op)])
            case ast.UnaryOp(op=ast.Not()):
                yield self._replaced(node, self._text(node.operand))
            case ast.Constant(value=bool(flag)):
                yield self._replaced(node, str(not flag))
            case ast.Constant(value=int(number)):
                yield self._replaced(node, str(number + 1))
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield self._replaced(value, "None")
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield self._replaced(node, "pass")
            case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() as test):
                yield self._replaced(test, f"not {self._text(test)}")

    def _between(self, before: ast.expr, after: ast.expr, old: str, new: str) -> Iterator[Change]:
        start, end = self._end(before), self._start(after)
        place = self._source.find(old.encode(), start, end)
        if place >= 0:
            yield Change(self._line(place), place, place + len(old), old, new)

    def _replaced(self, node: ast.expr | ast.stmt, new: str) -> Change:
        return Change(node.lineno, self._start(node), self._end(node), self._text(node), new)

    def _text(self, node: ast.expr | ast.stmt) -> str:
        return self._source[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def _line(self, place: int) -> int:
        return self._source.count(b"\n", 0, place) + 1
