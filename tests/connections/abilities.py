"""The walk through the table of what a connection's system can do, row by row."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from graphql import GraphQLObjectType

from app.connections.connector import ReadConnector
from app.connections.model.settings import Capabilities
from app.connections.service import drop_entry, reachable, update_connection
from app.core.actor import Actor
from app.core.errors import DomainError
from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import State
from app.interactions.service.messages import receive_message
from app.interactions.tables import interaction
from app.registry import CONNECTORS
from app.settings import Settings
from tests.connections.attached import Attached
from tests.connections.conftest import ADA
from tests.graph.running import SCHEMA, Graph, open_graph
from tests.kinds.conftest import BO

Written = tuple[str, str, Any]
"""A request that writes: its method, its path with `{id}` for the interaction's key, and its body."""


@dataclass
class Bench:
    """One connection, and how its tests make interactions there, refuse writes, and see what was written.

    `settings` are those of the connection beside its capabilities."""

    desk: Attached
    graph: Graph
    opens: Callable[[], Awaitable[object]]
    refuses: Callable[[int], None]
    writes: Callable[[], Sequence[Written]]
    loads: Callable[[GlobalId], Awaitable[Any]]
    prefix: str
    settings: Mapping[str, object]

    async def run(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return await self.desk.run(function, *arguments, **more)

    async def interaction(self) -> GlobalId:
        """A new interaction that the system has."""
        await self.opens()
        newest = sa.select(sa.func.max(interaction.c.id))
        return GlobalId(self.prefix, await self.run(lambda work: work.connection.execute(newest).scalar_one()))

    async def allow(self, able: Mapping[str, bool]) -> None:
        """Correct what the system can do, as an operator does it."""
        settings = {**self.settings, "capabilities": dict(able)}
        await self.run(update_connection, ADA, CONNECTORS, f"con_{self.desk.connection}", settings=settings)
        await self.run(reachable, CONNECTORS)


Do = Callable[[Bench, GlobalId], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """A command: how it is given, what is done before it, and what is written there for it.

    `of` is what it changes here: a refusal there sets that back. `actor` is who gives it. What is `doubtful` is not
    known to be taken there: the stand-in refuses it. What is not set back is done `anew`, to another interaction."""

    do: Do
    there: Sequence[Written] = ()
    before: Sequence[Do] = ()
    of: Do | None = None
    actor: Actor = BO
    doubtful: bool = False
    anew: bool = False


def given(function: Callable[..., Any], *arguments: Any, actor: Actor = BO, **more: Any) -> Do:
    """Bo, or who else is the actor, gives the command about the interaction."""

    async def do(bench: Bench, ref: GlobalId) -> Any:
        return await bench.run(function, actor, ref, *arguments, **more)

    return do


def hears(content: Mapping[str, Any], **more: Any) -> Do:
    """The customer sends this content."""

    async def do(bench: Bench, ref: GlobalId) -> None:
        await bench.run(receive_message, BO, {"interaction": ref}, [content], **more)

    return do


def fields(*names: str) -> Do:
    """These fields of the interaction."""

    async def of(bench: Bench, ref: GlobalId) -> Any:
        here = await bench.loads(ref)
        return [getattr(here, name) for name in names]

    return of


async def sent(bench: Bench, ref: GlobalId) -> int:
    """How many of our messages have not failed."""
    own = [each for each in await bench.desk.messages() if each.interaction_id == ref.number]
    answers = [each for each in own if each.author is not MessageAuthor.CUSTOMER]
    return sum(each.status is not MessageStatus.ERROR for each in answers)


class Walk:
    """Each row of the table: forbidden here, refused there, then done."""

    def __init__(self, bench: Bench, rows: Collection[str], cases: Mapping[str, Case]) -> None:
        self._bench = bench
        self._cases = {str(name): case for name, case in cases.items()}
        self._able = dict.fromkeys(self._cases, True)
        assert self._cases.keys() == set(rows)  # a new row needs a case

    async def walk(self) -> None:
        await self._bench.allow(self._able)
        for name, case in self._cases.items():
            ref = await self._bench.interaction()
            for before in case.before:
                await before(self._bench, ref)
                await self._bench.desk.work()
            await self._forbidden(name, case, ref)
            if case.there and not case.doubtful:
                await self._refused(name, case, ref)
                ref = await self._bench.interaction() if case.anew else ref
            await self._done(name, case, ref)

    async def _forbidden(self, name: str, case: Case, ref: GlobalId) -> None:
        """Without the capability the command is refused at once, and `viewerCan` says so."""
        bench = self._bench
        await bench.allow({**self._able, name: False})
        here, asked = await bench.loads(ref), len(bench.writes())
        assert (name, await _refusal(case.do(bench, ref))) == (name, "NOT_SUPPORTED")
        assert (name, await self._shows(name, case, ref)) in ((name, False), (name, None))
        assert (name, await bench.loads(ref), await bench.desk.queue()) == (name, here, [])
        await bench.allow(self._able)
        assert (name, await self._shows(name, case, ref)) in ((name, True), (name, None))
        assert (name, len(bench.writes())) == (name, asked)

    async def _refused(self, name: str, case: Case, ref: GlobalId) -> None:
        """What the system refuses is set back here, and somebody is told."""
        bench = self._bench
        before = None if case.of is None else await case.of(bench, ref)
        bench.refuses(len(case.there))
        await case.do(bench, ref)
        await bench.desk.work()
        entries, here = await bench.desk.entries(), await bench.loads(ref)
        assert (name, [each.state for each in entries]) == (name, ["REFUSED"] * len(case.there))
        assert (name, here.sync_trouble) == (name, "REFUSED")
        assert (name, "SYNC_REFUSED" in here.attention.reasons) == (name, here.state is not State.CLOSED)
        if case.of is not None:
            assert (name, await case.of(bench, ref)) == (name, before)
        for each in entries:
            await bench.run(drop_entry, BO, f"obx_{each.id}")

    async def _done(self, name: str, case: Case, ref: GlobalId) -> None:
        """With the capability it is done there as documented; what is kept here alone is not written."""
        bench = self._bench
        before, asked = None if case.of is None else await case.of(bench, ref), len(bench.writes())
        await case.do(bench, ref)
        await bench.desk.work()
        written = list(bench.writes()[asked:])
        assert (name, written) == (name, list(case.there))
        entries = await bench.desk.entries()
        assert (name, [each.state for each in entries]) == (name, ["REFUSED"] if case.doubtful else [])
        for each in entries:
            await bench.run(drop_entry, BO, f"obx_{each.id}")
        if case.of is not None:
            assert (name, await case.of(bench, ref) == before) == (name, case.doubtful)

    async def _shows(self, name: str, case: Case, ref: GlobalId) -> bool | None:
        """What `viewerCan` tells the actor of the command; None when it has no such field."""
        field = _field(name)
        if field not in _FIELDS:
            return None
        text = f'{{ interaction(id: "{ref}") {{ viewerCan {{ {" ".join(_FIELDS)} }} }} }}'
        found: bool = (await self._bench.graph.read(text, case.actor))["interaction"]["viewerCan"][field]
        return found


async def walk_through(
    connector: type[ReadConnector],
    cases: Mapping[str, Case],
    bench_in: Callable[[Graph], Bench],
    database_url: str,
    desk: Attached,
    settings: Settings,
    *,
    beside: Collection[str] = (),
) -> None:
    """Walk through what the connector's system can do, but for what is no command and stands `beside`."""
    table = connector.checks["capabilities"]
    assert isinstance(table, Capabilities)
    graph = await open_graph(database_url, desk.clock, settings)
    try:
        await Walk(bench_in(graph), table.names - set(beside), cases).walk()
    finally:
        await graph.database.close()


def _field(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(each.capitalize() for each in others)


def _viewer_can() -> tuple[str, ...]:
    found = SCHEMA.type_map["ViewerCan"]
    assert isinstance(found, GraphQLObjectType)
    return tuple(name for name in found.fields if name != "replyBlockedBy")


_FIELDS = _viewer_can()


async def _refusal(doing: Awaitable[Any]) -> str | None:
    """The code with which it is refused; None when it is done."""
    try:
        await doing
    except DomainError as error:
        return str(error.code)
    return None
