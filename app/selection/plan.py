"""A compiled operation: statements in order, and the assembled answer."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import DomainError, release
from app.selection.compilation import Compilation
from app.selection.edges import Block
from app.selection.mapping import Env
from app.selection.roots import RootPlan
from app.selection.shape import Row, Run
from app.selection.tree import Variables
from app.storage.event_log import heads_cursor
from app.storage.query import Query
from app.storage.stored import Stored


@dataclass(slots=True)
class Answer:
    """`data` is ready for orjson. Each error has the response path of its field."""

    data: dict[str, Any] | None
    errors: list[tuple[tuple[str | int, ...], DomainError]] = field(default_factory=list)


class Plan:
    """May run any number of times, for anyone with the permissions it was compiled for.

    The result of a personal plan depends on more of the actor than the permissions, so two actors never share a run."""

    def __init__(self, roots: Sequence[RootPlan], compilation: Compilation, item: Block | None = None) -> None:
        self._roots = tuple(roots)
        self._item = item
        self._heads = compilation.heads
        self._listings = tuple(compilation.listings)
        self.snapshot = compilation.statements > 1
        self.is_lookup = bool(roots) and not self.snapshot and all(root.is_lookup for root in roots)
        """Whether it does no more than look one row up by its key."""
        self._personal = compilation.personal

    def is_personal(self, variables: Variables) -> bool:
        """Whether the plan is personal with these variables: through its fields, or through a condition that names the
        caller."""
        return self._personal or any(listing.is_personal(variables) for listing in self._listings)

    def check(self, env: Env) -> None:
        """Read the arguments of every connection, even of one whose parent may not exist.

        Raises DomainError. A mutation calls it first, so that it does not fail to read its answer after the command."""
        for listing in self._listings:
            listing.asked(env)

    def steps(self, env: Env, row: Mapping[str, object] | None = None) -> Generator[Query, Sequence[Row], Answer]:
        """Yield statements, receive their rows, return the Answer."""
        run = yield from self._run(env)
        if self._item is not None:
            made = yield from self._item.assemble([row], run)
            return Answer(made[0])
        data: dict[str, Any] | None = {}
        errors: list[tuple[tuple[str | int, ...], DomainError]] = []
        for root in self._roots:
            try:
                value = yield from root.read(run)
            except DomainError as error:
                release(error)
                errors.append(((root.key,), error))
                value = None
                if not root.nullable:
                    data = None
            if data is not None:
                data[root.key] = value
        return Answer(data, errors)

    def at_once(self, env: Env, row: Mapping[str, object]) -> Answer | None:
        """The answer, when the row and the values that come with it are enough; None when something must be read."""
        assert self._item is not None
        if not any(isinstance(each, Stored) for each in row.values()):
            return None  # most likely it is a key of something that must be read
        steps = self._item.assemble([row], Run(env, reads_stored=True))
        try:
            next(steps)
        except StopIteration as ended:
            return Answer(ended.value[0])
        steps.close()
        return None

    def each(
        self, env: Env, rows: Sequence[Mapping[str, object]]
    ) -> Generator[Query, Sequence[Row], Sequence[dict[str, Any]]]:
        """The objects of many rows that are given at run time, with as many statements as for one row."""
        assert self._item is not None
        run = yield from self._run(env)
        return (yield from self._item.assemble(rows, run))

    def _run(self, env: Env) -> Generator[Query, Sequence[Row], Run]:
        run = Run(env)
        if self._heads is not None:
            # Read before everything else: an overlap repeats an event, a gap would lose one.
            run.head = str(heads_cursor((yield self._heads)))
        return run
