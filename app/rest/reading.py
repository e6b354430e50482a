"""Selections of contracts, compiled once for each set of permissions."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from app.budgets import Budget
from app.selection.counting import Counted
from app.selection.mapping import Env
from app.selection.plan import Plan
from app.selection.tree import Field, Variables
from app.storage.database import Database

_MOST_PLANS = 1_000


@dataclass(frozen=True, slots=True)
class Pick:
    """An argument whose value is the variable with this name in each run; absent when the variable is absent."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A root field with everything below it. Made once, at import; it is known by its identity."""

    field: Field


def leaf(name: str, key: str | None = None) -> Field:
    """A field without fields of its own, as `key` of the result."""
    return Field(name, key or name)


def one(name: str, type_name: str, fields: Sequence[Field], key: str | None = None, **arguments: object) -> Field:
    """A to-one field, or an object or a plain list of objects of this concrete type."""
    return Field(name, key or name, _arguments(arguments), {type_name: tuple(fields)})


def listed(name: str, type_name: str, fields: Sequence[Field], key: str | None = None, **arguments: object) -> Field:
    """A connection, read as `{"nodes": […], "pageInfo": {"hasNextPage", "endCursor"}}`.

    The argument `page`, a `core.paging.Page`, asks for more than the 100 that the graph gives."""
    page_info = Field("pageInfo", "pageInfo", children={"PageInfo": (leaf("hasNextPage"), leaf("endCursor"))})
    nodes = Field("nodes", "nodes", children={type_name: tuple(fields)})
    return Field(name, key or name, _arguments(arguments), {f"{type_name}Connection": (nodes, page_info)})


def picks(*names: str) -> dict[str, Any]:
    """A `Pick` for each argument, of the variable with the argument's own name."""
    return {name: Pick(name) for name in names}


def root(field: Field) -> Selection:
    """A selection for `Call.read`, which returns the value of the field."""
    return Selection(field)


def _arguments(given: Mapping[str, object]) -> Any:
    if not given:
        return lambda _variables: {}

    def arguments(variables: Variables) -> dict[str, object]:
        found = {}
        for name, value in given.items():
            if not isinstance(value, Pick):
                found[name] = value
            elif value.name in variables:
                found[name] = variables[value.name]
        return found

    return arguments


class Compiler(Protocol):
    """The part of app.selection.compiler.Compiler that contracts need."""

    def query(self, fields: Sequence[Field], permissions: frozenset[str] | None, *, times_as_text: bool) -> Plan:
        """The plan of a contract's selection; with `times_as_text` its times are text on both databases."""


class Reads:
    """Runs the contracts' selections."""

    def __init__(self, compiler: Compiler, database: Database, budget: Budget | None = None) -> None:
        self._compiler = compiler
        self._database = database
        self._budget = budget  # of rows, for each caller
        self.plans: MutableMapping[tuple[Selection, frozenset[str] | None], Plan] = {}

    async def read(self, selection: Selection, env: Env) -> Any:
        """The value of the selection's root field: dicts, lists, text; JSON columns as `orjson.Fragment`.

        Its rows count against the caller's share, of which something was left when the request came.
        Raises DomainError (Forbidden without the root's permission); a root that finds nothing is None."""
        permissions = None if env.actor.is_admin else env.actor.permissions
        plan = self.plans.get((selection, permissions))
        if plan is None:
            plan = self._compiler.query((selection.field,), permissions, times_as_text=True)
            if len(self.plans) >= _MOST_PLANS:
                self.plans.clear()
            self.plans[selection, permissions] = plan
        steps, counted, caller = partial(plan.steps, env), Counted(), env.actor.caller
        counts = self._budget is not None and self._budget.counts
        answer = await self._database.read(
            counted.counted(steps) if counts else steps, snapshot=plan.snapshot, caller=caller
        )
        if self._budget is not None and counts:
            self._budget.add(caller, counted.rows)
        if answer.errors:
            raise answer.errors[0][1]
        return None if answer.data is None else answer.data[selection.field.key]
