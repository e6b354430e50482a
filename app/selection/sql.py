"""Statements in the driver's SQL, and the values that come back."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import FromClause, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from app.core.clock import rfc3339
from app.selection.mapping.env import VIEWER_TEAMS
from app.selection.statement import Bind, Convert, Fragment, Hole, OfTeams, Part, Statement
from app.storage.constructs import AMONG_ON_POSTGRESQL, AMONG_ON_SQLITE
from app.storage.tables import JsonText, JsonValue, Timestamp

Sql = sa.ColumnElement[Any]
Select = sa.Select[Any] | sa.CompoundSelect[Any]

MOST_FRAGMENTS = 4_000

Constants = Mapping[str, str]
"""SQL by the names of the parameters in whose places it stands."""

NO_CONSTANTS: Constants = MappingProxyType({})


class Template:
    """A SELECT with holes, compiled once. The differences between its variants are added as text."""

    def __init__(self, parts: Sequence[Part], dialect: Dialect) -> None:
        self._parts = parts
        self._dialect = dialect

    def filled(self, fragments: Callable[[str], Sequence[Fragment]], constants: Constants = NO_CONSTANTS) -> Statement:
        """The statement in which each hole holds the fragments of its name. A hole for conditions may stay empty.

        `constants` are SQL in place of parameters, by name."""
        parts: list[str | Bind | OfTeams] = []
        for part in self._parts:
            if isinstance(part, Hole):
                glue = part.glue
                for fragment in fragments(part.name):
                    parts.append(glue)
                    parts.extend(fragment)
                    glue = " AND "
            else:
                parts.append(constants.get(part.name, part) if isinstance(part, Bind) else part)
        return Statement(parts, self._dialect)


def hole(name: str) -> sa.ColumnClause[Any]:
    """A place for fragments: the last condition of a WHERE, or an ORDER BY."""
    return sa.literal_column(f"__{name}_hole__")


def place_of(name: str) -> Callable[..., sa.BindParameter[Any]]:
    """A function that makes the parameter of a condition's value, or of one of its parts."""

    def place(type_: Any, part: str | None = None) -> sa.BindParameter[Any]:
        return sa.bindparam(f"filter_{name}" if part is None else f"filter_{name}_{part}", type_=type_)

    return place


_HOLE = r"(?P<glue>(?:\s+WHERE|\s+ORDER BY|\s+AND)\s+)__(?P<hole>\w+)_hole__"
_PARTS = {
    "sqlite": re.compile(rf"{AMONG_ON_SQLITE}|\?|{_HOLE}"),
    "postgresql": re.compile(rf"{AMONG_ON_POSTGRESQL}|\$(?P<number>[0-9]+)|{_HOLE}"),
}
_BEGINNING: sa.ColumnClause[Any] = sa.literal_column("__beginning__")
_BEFORE = re.compile(r".*__beginning__(?: AND |, )", re.DOTALL)


class SqlCompiler:
    """Compiles for one database, and counts how often. It is safe to use in several threads: at worst two threads
    compile the same fragment."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.compiled = 0
        self._fragments: dict[Hashable, tuple[object, Fragment]] = {}

    def statement(self, select: Select) -> Statement:
        """The statement of a SELECT without holes."""
        return Statement(self._parts(select), self.dialect)  # type: ignore[arg-type]

    def template(self, select: Select) -> Template:
        """A SELECT in which `hole`s stay open."""
        return Template(self._parts(select), self.dialect)

    def condition(self, of: object, key: Hashable, build: Callable[[], tuple[FromClause, Sql]]) -> Fragment:
        """A condition over the rows of a FROM element, compiled once for each key of the object `of`."""
        return self._fragment(of, key, lambda: _beside(*build()))

    def ordering(self, of: object, key: Hashable, build: Callable[[], tuple[FromClause, Sequence[Sql]]]) -> Fragment:
        """An ORDER BY over the rows of a FROM element, compiled once for each key of the object `of`."""

        def select() -> sa.Select[Any]:
            source, columns = build()
            return sa.select(sa.literal_column("1")).select_from(source).order_by(_BEGINNING, *columns)

        return self._fragment(of, key, select)

    def _fragment(self, of: object, key: Hashable, build: Callable[[], sa.Select[Any]]) -> Fragment:
        place = (id(of), key)
        found = self._fragments.get(place)
        if found is None:
            first, *rest = self._parts(build())
            if len(self._fragments) >= MOST_FRAGMENTS:  # clients choose these, so their number must be limited
                self._fragments.clear()
            # Kept with its object, so that the object's id() is not reused.
            found = self._fragments[place] = (of, (_BEFORE.sub("", str(first), count=1), *rest))  # type: ignore[arg-type]
        return found[1]

    def _parts(self, select: Select) -> list[Part]:
        self.compiled += 1
        return parts_of(select, self.dialect)


def _beside(source: FromClause, condition: Sql) -> sa.Select[Any]:
    return sa.select(sa.literal_column("1")).select_from(source).where(_BEGINNING, condition)


def parts_of(select: Select, dialect: Dialect) -> list[Part]:
    """The SQL of a SELECT in the driver's form, cut at parameters and holes."""
    compiled = _compile(select, dialect)
    names = compiled.positiontup or []
    binds = {name: _bind(compiled, name, dialect) for name in names}
    sql = str(compiled)
    parts: list[Part] = []
    end = found = 0
    for match in _PARTS[dialect.name].finditer(sql):
        parts.append(sql[end : match.start()])
        end = match.end()
        if match["hole"] is not None:
            parts.append(Hole(match["hole"], match["glue"]))
            continue
        column = match["among"]
        number = found if dialect.name == "sqlite" else int(match["listed"] or match["number"]) - 1
        found += 1
        bind = binds[names[number]]
        if column is None:
            parts.append(bind)
            continue
        before, after = re.split(r"\?|\$[0-9]+", match[0])
        as_list = (before, bind, after)
        parts += [OfTeams(column, as_list)] if bind.name == VIEWER_TEAMS else as_list
    parts.append(sql[end:])
    if found < len(names) or (dialect.name == "sqlite" and found > len(names)):
        raise RuntimeError(f"the parameters of a statement cannot be told from its text: {sql}")
    return parts


def _bind(compiled: SQLCompiler, name: str, dialect: Dialect) -> Bind:
    bind = compiled.binds.get(name)
    if bind is None:  # an item of a list that was expanded; strings and numbers need no processing
        return Bind(name, None, compiled.params[name])
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    default = bind.effective_value
    return Bind(bind.key, process, default if default is None or process is None else process(default))


def _compile(select: Select, dialect: Dialect) -> SQLCompiler:
    # Lists in the SQL (`column.in_(("a", "b"))`) are expanded here. That needs a value for every parameter, so none of
    # them
    # may require one yet.
    for element in visitors.iterate(select):
        if isinstance(element, sa.BindParameter):
            element.required = False
    return select.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})


def writer(type_: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """A function from a raw value of this type, never None, to the value in the answer's JSON. None when they are the
    same."""
    if isinstance(type_, Timestamp):
        return None if dialect.name == "sqlite" else rfc3339
    if isinstance(type_, JsonText | JsonValue):
        return orjson.Fragment
    if isinstance(type_, sa.Boolean):
        return bool if dialect.name == "sqlite" else None
    return None


def reader(type_: TypeEngine[Any], dialect: Dialect) -> Convert:
    """A function from a raw value of this type to the Python value that rules compute with."""
    process = type_.dialect_impl(dialect).result_processor(dialect, None)
    if process is not None:
        return process
    return lambda value: value


def text_of(moment: Any) -> Any:
    """A computed value as the answer's JSON has it: times as RFC 3339, everything else unchanged."""
    return rfc3339(moment) if isinstance(moment, datetime) else moment
