"""Driver text, bound to the values of a request and its caller."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.engine import Dialect

from app.core.actor import Actor
from app.core.sight import NO_TEAM
from app.selection.mapping.env import VIEWER, viewer_team, viewer_values
from app.storage.query import Query

Convert = Callable[[Any], Any]

_MOST_CALLERS = 128
"""For how many callers a statement keeps what is bound for them."""


class Bind(NamedTuple):
    """A parameter of a statement: its name, how its value is bound, and its default value."""

    name: str
    process: Convert | None
    default: Any


class Hole(NamedTuple):
    """A place in a statement's SQL that fragments fill. `glue` comes before the first of them."""

    name: str
    glue: str


class OfTeams(NamedTuple):
    """The condition that a column is one of the caller's teams, and how it is written for a list of them.

    To open a list of JSON and to build a table of it costs SQLite as much as reading twenty rows, and to write and to
    open an array takes 5 us on PostgreSQL. So for a few teams each has a parameter of its own."""

    column: str
    as_list: Sequence[str | Bind]

    def parts(self, places: int | None) -> Sequence[str | Bind]:
        """The condition for a caller with so many places for its teams, None for a list of them and of no team."""
        if places is None:
            return self.as_list
        found: list[str | Bind] = [f"({self.column} = {NO_TEAM}"]
        for place in range(places):
            found += [f" OR {self.column} = ", Bind(viewer_team(place), None, None)]
        return [*found, ")"]


Fragment = Sequence[str | Bind | OfTeams]
"""SQL that fills a hole, cut at its parameters."""

Part = str | Bind | OfTeams | Hole


class _Text(NamedTuple):
    """Driver text with the defaults of its parameters, and by their places those that the request and the caller
    give."""

    sql: str
    values: list[Any]
    given: Sequence[tuple[int, str, Convert | None]]
    of_viewer: Sequence[tuple[int, str, Convert | None]]


class Statement:
    """A SELECT as driver text, with the names of its parameters and how each value is bound."""

    __slots__ = ("_few", "_numbered", "_of_callers", "_parts", "_text")

    def __init__(self, parts: Iterable[str | Bind | OfTeams], dialect: Dialect) -> None:
        given = tuple(parts)
        self._numbered = dialect.name != "sqlite"
        self._text = _text_of(given, numbered=self._numbered)
        self._parts = given if any(isinstance(part, OfTeams) for part in given) else None
        self._few: dict[int, _Text] = {}
        self._of_callers: dict[tuple[int, frozenset[int]], _Text] = {}

    def query(self, values: Mapping[str, object], actor: Actor | None = None) -> Query:
        """The statement with these values bound. A parameter that is not in `values` keeps its default.

        The parameters that differ from caller to caller are bound for this caller. Raises RuntimeError when the caller
        is unknown."""
        text = self._text
        if text.of_viewer:
            if actor is None:
                raise RuntimeError("a statement that shows each caller something else is run for nobody")
            text = self._of_callers.get((actor.user_id, actor.teams)) or self._bound_for(actor)
        sql, defaults, given, _ = text
        found = defaults.copy()
        for place, name, process in given:
            if name in values:
                found[place] = values[name] if process is None else process(values[name])
        return Query(sql, found)

    def _bound_for(self, actor: Actor) -> _Text:
        """The text with the values of this caller in place of defaults."""
        viewer, places = viewer_values(actor)
        text = self._text if places is None else self._for_few(places)
        values = text.values.copy()
        for place, name, process in text.of_viewer:
            values[place] = viewer[name] if process is None else process(viewer[name])
        if len(self._of_callers) >= _MOST_CALLERS:
            self._of_callers.clear()
        found = self._of_callers[actor.user_id, actor.teams] = text._replace(values=values)
        return found

    def _for_few(self, places: int) -> _Text:
        if self._parts is None:
            return self._text
        found = self._few.get(places)
        if found is None:
            found = self._few[places] = _text_of(self._parts, numbered=self._numbered, places=places)
        return found


def _text_of(parts: Iterable[str | Bind | OfTeams], *, numbered: bool, places: int | None = None) -> _Text:
    """The driver text for a caller with so many places for its teams."""
    texts: list[str] = []
    binds: list[Bind] = []
    numbers: dict[Hashable, int] = {}
    flat = (each for part in parts for each in (part.parts(places) if isinstance(part, OfTeams) else (part,)))
    for part in flat:
        if isinstance(part, str):
            texts.append(part)
        elif not numbered:
            texts.append("?")
            binds.append(part)
        else:
            # Each condition has parameters of its own for the same teams.
            same = part.name if part.name.startswith(VIEWER) else id(part)
            number = numbers.get(same)
            if number is None:
                binds.append(part)
                number = numbers[same] = len(binds)
            texts.append(f"${number}")
    placed = [(place, bind.name, bind.process) for place, bind in enumerate(binds)]
    given = tuple(each for each in placed if not each[1].startswith(VIEWER))
    of_viewer = tuple(each for each in placed if each[1].startswith(VIEWER))
    return _Text("".join(texts), [bind.default for bind in binds], given, of_viewer)
