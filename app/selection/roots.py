"""Compiles the root fields of an operation."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.errors import Forbidden, InvalidInput
from app.core.ids import parse_id
from app.selection.compilation import Compilation
from app.selection.edges import Block, OneEdge
from app.selection.generic_plans import GenericPages, plans_once
from app.selection.listing import Lister
from app.selection.mapping import (
    SOME,
    Env,
    Permissions,
    Root,
    RootMany,
    RootNode,
    RootOne,
    RootSteps,
    RootTally,
    granted,
)
from app.selection.nearby import Nearby, looks_nearby
from app.selection.scope import Builder
from app.selection.shape import Row, Run
from app.selection.sql import reader
from app.selection.tallies import compile_tally
from app.selection.tree import Field
from app.storage.query import Query
from app.storage.tables import Timestamp

MOST_NODES = 100

Reading = Generator[Query, Sequence[Row], Any]


@dataclass(frozen=True, slots=True)
class RootPlan:
    """One root field: how to read it, and how the answer changes when that fails.

    A look-up finds its row by a key, and reads nothing else."""

    key: str
    nullable: bool
    read: Callable[[Run], Reading]
    is_lookup: bool = False


def compile_root(compilation: Compilation, field: Field) -> RootPlan:
    """The plan of one root field. A missing permission is raised only when it runs, so that sibling fields are
    answered."""
    if field.name == "__typename":
        return RootPlan(field.key, False, _constant(compilation.catalogue.query))
    root: Root = compilation.catalogue.roots[field.name]
    nullable = compilation.catalogue.facts(compilation.catalogue.query, field.name).nullable
    requires = getattr(root, "requires", None)
    if not granted(compilation.permissions, requires):
        return RootPlan(field.key, nullable, _forbidden(field.name, str(requires).removesuffix(SOME)))
    if isinstance(root, RootOne):
        return _one(compilation, root, field, nullable=nullable)
    if isinstance(root, RootMany):
        read = _many(compilation, root, field)
    elif isinstance(root, RootTally):
        read = compile_tally(compilation, root, field)
    elif isinstance(root, RootSteps):
        read = _steps(compilation, root, field)
    else:
        read = _node(compilation, root, field)
    return RootPlan(field.key, nullable, read)


def _constant(value: object) -> Callable[[Run], Reading]:
    def read(run: Run) -> Reading:
        return value
        yield

    return read


def _forbidden(name: str, permission: str) -> Callable[[Run], Reading]:
    def read(run: Run) -> Reading:
        raise Forbidden(f"{name} needs the permission {permission}.", permission=permission)
        yield

    return read


def _one(compilation: Compilation, root: RootOne, field: Field, *, nullable: bool) -> RootPlan:
    builder = Builder()
    target = compilation.table_map(root.type)
    source = compilation.source(builder, target)
    seen = compilation.visible(target, source)
    if seen is False:
        return RootPlan(field.key, nullable, _constant(None), is_lookup=True)
    block = Block()
    block.make = compilation.rows(block, source, root.type, field.children or {})
    conditions = [root.where(source, lambda name, type_: sa.bindparam(name, type_=type_))]
    select = builder.select().where(*conditions)
    if seen is not True:
        select = select.where(seen)
    if root.order is not None:
        select = select.order_by(*root.order(source)).limit(1)
    statement = compilation.statement(select)
    compilation.statements += 1
    arguments = field.arguments

    def read(run: Run) -> Reading:
        values = root.values(run.env, arguments(run.env.variables))
        if values is None:
            return None
        rows = yield statement.query(values, run.env.actor)
        found = yield from block.assemble(rows[:1], run)
        return found[0] if found else None

    return RootPlan(field.key, nullable, read, is_lookup=root.order is None and not block.edges)


def _many(compilation: Compilation, root: RootMany, field: Field) -> Callable[[Run], Reading]:
    lister = Lister(compilation, root, field, leading=0, name=field.name)
    paged, listing = lister.connection, lister.listing
    visible = lister.seen is not False
    once = visible and paged.rows_needed and plans_once(lister)
    page = lister.pages(now=not once) if visible and paged.rows_needed else None
    generic = GenericPages(lister, page) if once and page is not None else None
    near = Nearby(lister) if page is not None and looks_nearby(lister) else None
    count = lister.counts() if visible and paged.counted else None

    def read(run: Run) -> Reading:
        asked = listing.asked(run.env)
        rows: Sequence[Row] = ()
        totals: dict[Any, int] = {}
        if page is not None:
            found = None if near is None else (yield from near.read(asked, run))
            if found is None:
                statement = listing.statement(asked.variant, page) if generic is None else generic.statement(asked)
                found = yield statement.query(asked.values, run.env.actor)
            rows = found
        if count is not None:
            ((totals[None],),) = yield listing.statement(asked.unplaced, count).query(asked.values, run.env.actor)
        made = yield from paged.assemble({None: list(rows)}, totals, asked, run)
        return made[None]

    return read


class Reader:
    """What a RootSteps function reads with, in one run. Its statements are compiled once per plan."""

    def __init__(self, compilation: Compilation, root: RootSteps, env: Env) -> None:
        self.permissions: Permissions = compilation.permissions
        self._compilation = compilation
        self._env = env
        self._statements = compilation.statements_of(root)
        self._time = reader(Timestamp(), compilation.dialect)

    @property
    def dialect_name(self) -> str:
        return self._compilation.dialect.name

    def query(self, name: Hashable, build: Callable[[], sa.Select[Any]], **values: object) -> Query:
        statement = self._statements.get(name)
        if statement is None:
            statement = self._statements[name] = self._compilation.statement(build())
        return statement.query(values, self._env.actor)

    def time(self, raw: Any) -> datetime | None:
        found: datetime | None = None if raw is None else self._time(raw)
        return found


def _steps(compilation: Compilation, root: RootSteps, field: Field) -> Callable[[Run], Reading]:
    block = compilation.item(root.type, field.children or {})
    # The number of statements is up to the steps. They always read one snapshot.
    compilation.statements += 2
    arguments = field.arguments

    def read(run: Run) -> Reading:
        value = yield from root.steps(Reader(compilation, root, run.env), run.env, arguments(run.env.variables))
        if value is None:
            return None
        made = yield from block.assemble(value if root.many else [value], run)
        return made if root.many else made[0]

    return read


def _node(compilation: Compilation, root: RootNode, field: Field) -> Callable[[Run], Reading]:
    children = field.children or {}
    edges: dict[str, OneEdge] = {
        prefix: compilation.one_edge(found.name, {found.name: children.get(found.name, ())}, lambda row, run: ())
        for prefix, found in compilation.catalogue.prefixed().items()
        if granted(compilation.permissions, found.node_requires)
    }
    arguments = field.arguments

    def fetch(texts: Sequence[str], run: Run) -> Generator[Query, Sequence[Row], list[Any]]:
        ids = [parse_id(text) for text in texts]
        wanted: dict[str, list[int]] = {}
        for each in ids:
            if each is not None and each.prefix in edges:
                wanted.setdefault(each.prefix, []).append(each.number)
        found: dict[str, Mapping[Any, Any]] = {}
        for prefix, numbers in wanted.items():
            found[prefix] = yield from edges[prefix].fetch(list(dict.fromkeys(numbers)), run)
        return [None if each is None else found.get(each.prefix, {}).get(each.number) for each in ids]

    def one(run: Run) -> Reading:
        return (yield from fetch([str(arguments(run.env.variables)["id"])], run))[0]

    def many(run: Run) -> Reading:
        texts: Any = arguments(run.env.variables)["ids"]
        if len(texts) > MOST_NODES:
            raise InvalidInput(f"ids must hold at most {MOST_NODES} ids.", path=("ids",))
        return (yield from fetch(texts, run))

    return many if root.many else one


__all__ = ["Env", "RootPlan", "compile_root"]
