from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import Forbidden, InvalidCursor, InvalidInput
from app.core.ids import Ids
from app.selection.compiler import Compiler
from app.selection.encoding import encoded
from app.selection.mapping import Env
from app.selection.plan import Answer
from app.selection.tree import Field
from app.settings import Settings
from app.storage.database import Database, open_database
from app.storage.work import Work
from tests.selection.world import ask, catalogue, fill, item

pytestmark = pytest.mark.anyio
ADMIN = Actor(1, "root", is_admin=True)


class Library:
    def __init__(self, database: Database, env: Env, statements: list[str]) -> None:
        self.database = database
        self.env = env
        self.compiler = Compiler(catalogue(), database.dialect)
        self.statements = statements

    async def answer(self, *fields: Field, permissions: frozenset[str] | None = None) -> Answer:
        plan = self.compiler.query(fields, permissions)
        return await self._run(plan, None)

    async def read(self, *fields: Field, permissions: frozenset[str] | None = None) -> Any:
        answer = await self.answer(*fields, permissions=permissions)
        assert answer.errors == []
        return orjson.loads(encoded(answer.data))

    async def payload(self, row: dict[str, object], *fields: Field) -> Any:
        answer = await self._run(self.compiler.payload("LendPayload", fields, None), row)
        return orjson.loads(encoded(answer.data))

    async def _run(self, plan: Any, row: dict[str, object] | None) -> Answer:
        self.statements.clear()
        return await self.database.plan(lambda: plan.steps(self.env, row), snapshot=plan.snapshot, caller=1)

    @property
    def selects(self) -> int:
        return sum(text.startswith("SELECT") for text in self.statements)


@pytest.fixture
async def library(database_url: str, clock: Clock, ids: Ids, settings: Settings) -> AsyncIterator[Library]:
    statements: list[str] = []
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, observer=statements.append)
    await database.command(fill)
    yield Library(database, Env(ADMIN, clock(), settings), statements)
    await database.close()


def nodes(*children: Any, connection: str = "ItemConnection", on: Any = None) -> Field:
    return ask("nodes", *children, on=on)


def items(*parts: Any, **arguments: Any) -> Field:
    return ask("items", *parts, on="ItemConnection", **arguments)


PAGE_INFO = ask(
    "pageInfo", *(ask(n) for n in ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor")), on="PageInfo"
)


def selected(sql: str) -> str:
    """What the statement gives, without where from."""
    return sql.partition("FROM")[0]


@pytest.mark.parametrize(
    ("parts", "placed"),
    [
        ([nodes(ask("title"))], False),
        ([nodes(ask("title")), ask("pageInfo", ask("hasNextPage"), on="PageInfo")], False),
        ([ask("pageInfo", ask("hasNextPage"), on="PageInfo")], False),
        ([ask("pageInfo", ask("startCursor"), on="PageInfo")], True),
        ([ask("pageInfo", ask("endCursor"), on="PageInfo"), nodes(ask("title"))], True),
        ([ask("edges", ask("cursor"), on="ItemEdge")], True),
        ([ask("edges", ask("node", ask("title"), on="Item"), on="ItemEdge")], False),
    ],
)
async def test_places_in_a_list_are_read_for_cursors_alone(library: Library, parts: list[Field], placed: bool) -> None:
    found = await library.read(items(*parts, first=3))
    assert ("added_at" in selected(library.statements[0])) == placed
    assert library.selects == 1
    assert all(found["items"].values())


async def test_times_are_written_alike_on_a_second_and_between_two(library: Library) -> None:
    def set_back(work: Work) -> None:
        early = item.update().where(item.c.id == 1)
        work.connection.execute(early.values(added_at=datetime(3, 2, 1, 23, 59, 59, 120_000, tzinfo=UTC)))

    await library.database.command(set_back)
    found = await library.read(items(nodes(ask("addedAt"), ask("shout"))))
    assert [each["addedAt"] for each in found["items"]["nodes"]][-2:] == [
        "2026-01-05T09:02:00.000000Z",
        "0003-02-01T23:59:59.120000Z",
    ]
    assert found["items"]["nodes"][-1]["shout"] == "DUNE 3 root"
    plan = library.compiler.query([items(nodes(ask("addedAt")))], None, times_as_text=True)
    answer = await library._run(plan, None)
    assert answer.data == {"items": {"nodes": [{"addedAt": each["addedAt"]} for each in found["items"]["nodes"]]}}


async def test_a_mixed_list_with_neighbours_and_kind_fields_is_one_statement(library: Library) -> None:
    found = await library.read(
        items(
            nodes(
                ask("__typename"),
                ask("id"),
                ask("title"),
                ask("holder", ask("id"), ask("name"), on="Member"),
                ask("status", ask("level"), ask("lent"), on="Status"),
                ask("tags"),
                ask("addedAt"),
                ("Book", ask("pages")),
                ("Book", ask("sequel", ask("title"), ask("pages"), on="Book")),
                ("Film", ask("minutes")),
            )
        )
    )
    assert library.selects == 1
    assert found == {
        "items": {
            "nodes": [
                {
                    "__typename": "Film",
                    "id": "fil_4",
                    "title": "Brazil",
                    "holder": {"id": "mem_1", "name": "Ada"},
                    "status": {"level": None, "lent": False},
                    "tags": ["brazil", "x"],
                    "addedAt": "2026-01-05T09:04:00.000000Z",
                    "minutes": 132,
                },
                {
                    "__typename": "Film",
                    "id": "fil_3",
                    "title": "Alien",
                    "holder": {"id": "mem_2", "name": "Ben"},
                    "status": {"level": "HIGH", "lent": True},
                    "tags": ["alien", "x"],
                    "addedAt": "2026-01-05T09:03:00.000000Z",
                    "minutes": 117,
                },
                {
                    "__typename": "Book",
                    "id": "boo_2",
                    "title": "Emma",
                    "holder": None,
                    "status": {"level": None, "lent": False},
                    "tags": ["emma", "x"],
                    "addedAt": "2026-01-05T09:02:00.000000Z",
                    "pages": 300,
                    "sequel": None,
                },
                {
                    "__typename": "Book",
                    "id": "boo_1",
                    "title": "Dune",
                    "holder": {"id": "mem_1", "name": "Ada"},
                    "status": {"level": "URGENT", "lent": True},
                    "tags": ["dune", "x"],
                    "addedAt": "2026-01-05T09:01:00.000000Z",
                    "pages": 500,
                    "sequel": {"title": "Emma", "pages": 300},
                },
            ]
        }
    }
    assert list(found["items"]["nodes"][0]) == [
        "__typename",
        "id",
        "title",
        "holder",
        "status",
        "tags",
        "addedAt",
        "minutes",
    ]


async def test_an_edge_is_one_statement_for_all_parents_and_aliases_page_apart(library: Library) -> None:
    found = await library.read(
        items(
            nodes(
                ask("title"),
                ask(
                    "remarks",
                    ask("nodes", ask("text"), ask("author", ask("name"), on="Member"), on="Remark"),
                    PAGE_INFO,
                    on="RemarkConnection",
                    first=2,
                ),
                ask(
                    "remarks",
                    ask("edges", ask("node", ask("text"), on="Remark"), on="RemarkEdge"),
                    ask("totalCount"),
                    on="RemarkConnection",
                    key="newest",
                    last=1,
                ),
            ),
            order_by={"field": "TITLE", "direction": "ASC"},
        )
    )
    assert library.selects == 4  # the list, each edge, and the count of one
    dune = next(each for each in found["items"]["nodes"] if each["title"] == "Dune")
    assert [each["text"] for each in dune["remarks"]["nodes"]] == ["r3", "r6"]
    assert dune["remarks"]["nodes"][0]["author"] == {"name": "Ben"}
    assert dune["remarks"]["pageInfo"]["hasNextPage"] is True
    assert dune["newest"] == {"edges": [{"node": {"text": "r12"}}], "totalCount": 4}
    brazil = found["items"]["nodes"][1]
    assert brazil["title"] == "Brazil"
    assert brazil["newest"] == {"edges": [], "totalCount": 0}
    assert brazil["remarks"]["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_pages_forward_and_backward_meet(library: Library) -> None:
    def page(**arguments: object) -> Field:
        return items(ask("edges", ask("cursor"), ask("node", ask("title")), on="ItemEdge"), PAGE_INFO, **arguments)

    first = (await library.read(page(first=3)))["items"]
    assert [each["node"]["title"] for each in first["edges"]] == ["Brazil", "Alien", "Emma"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    rest = (await library.read(page(first=3, after=first["pageInfo"]["endCursor"])))["items"]
    assert [each["node"]["title"] for each in rest["edges"]] == ["Dune"]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    back = (await library.read(page(last=2, before=rest["edges"][0]["cursor"])))["items"]
    assert [each["node"]["title"] for each in back["edges"]] == ["Alien", "Emma"]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "error", "path"),
    [
        ({"first": 0}, InvalidInput, ("first",)),
        ({"last": -1}, InvalidInput, ("last",)),
        ({"first": 101}, InvalidInput, ("first",)),
        ({"first": 1, "last": 1}, InvalidInput, ("last",)),
        ({"after": "nonsense"}, InvalidCursor, ("after",)),
        ({"after": "WyJpdGVtcy5BRERFRCIsIm5vdCBhIHRpbWUiLDFd"}, InvalidCursor, ("after",)),
        ({"filter": {"holder": "boo_1"}}, InvalidInput, ("filter", "holder")),
    ],
)
async def test_bad_arguments_are_refused_before_any_statement(
    library: Library, arguments: dict[str, object], error: type, path: tuple[str, ...]
) -> None:
    answer = await library.answer(items(nodes(ask("id")), **arguments), ask("tally", ask("kind"), on="Tally"))
    assert answer.data is None  # items cannot be null
    ((where, raised),) = answer.errors
    assert (where, type(raised), raised.path) == (("items",), error, path)


async def test_a_cursor_of_another_list_is_foreign(library: Library) -> None:
    edges = ask("edges", ask("cursor"), on="BookEdge")
    cursor = (await library.read(ask("books", edges, on="BookConnection")))["books"]["edges"][0]["cursor"]
    answer = await library.answer(items(nodes(ask("id")), after=cursor))
    assert isinstance(answer.errors[0][1], InvalidCursor)


async def test_filters_are_conditions_of_the_statement(library: Library) -> None:
    async def titles(**given: object) -> list[str]:
        found = await library.read(items(nodes(ask("title")), ask("totalCount"), filter=given))
        assert found["items"]["totalCount"] == len(found["items"]["nodes"])
        return [each["title"] for each in found["items"]["nodes"]]

    assert await titles(kinds=["book"]) == ["Emma", "Dune"]
    assert await titles(kinds=["book", "film"], holder="mem_1") == ["Brazil", "Dune"]
    assert await titles(added_at={"after": library.env.now.replace(minute=3)}) == ["Brazil", "Alien"]
    assert await titles(kinds=None) == ["Brazil", "Alien", "Emma", "Dune"]


async def test_a_list_of_one_kind_has_only_that_kind(library: Library) -> None:
    found = await library.read(
        ask(
            "books", ask("nodes", ask("id"), ask("pages"), on="Book"), ask("totalCount"), on="BookConnection", least=400
        )
    )
    assert found == {"books": {"nodes": [{"id": "boo_1", "pages": 500}], "totalCount": 1}}


async def test_node_finds_any_type_and_nothing_under_a_false_name(library: Library) -> None:
    children = (("Book", ask("pages")), ("Film", ask("title")), ("Member", ask("name")))

    def nodes_of(*ids: str) -> Field:
        return ask("nodes", *children, on=("Book", "Film", "Member", "Remark"), ids=list(ids))

    found = await library.read(nodes_of("boo_1", "fil_1", "mem_2", "fil_3", "boo_99", "xyz_1", "", "boo_1"))
    assert found["nodes"] == [
        {"pages": 500},
        None,
        {"name": "Ben"},
        {"title": "Alien"},
        None,
        None,
        None,
        {"pages": 500},
    ]
    one = ask("node", *children, on=("Book", "Film", "Member", "Remark"), id="boo_2")
    assert await library.read(one) == {"node": {"pages": 300}}
    assert await library.read(one, permissions=frozenset({"film:read"})) == {"node": None}


async def test_what_may_not_be_seen_is_not_there(library: Library) -> None:
    films = frozenset({"film:read"})
    seen = await library.read(items(nodes(ask("title")), ask("totalCount")), permissions=films)
    assert seen == {"items": {"nodes": [{"title": "Brazil"}, {"title": "Alien"}], "totalCount": 2}}
    none = await library.read(items(nodes(ask("title")), ask("totalCount")), permissions=frozenset())
    assert none == {"items": {"nodes": [], "totalCount": 0}}
    remark = ask("node", ("Remark", ask("item", ask("title"))), on=("Book", "Film", "Member", "Remark"), id="rem_3")
    assert (await library.read(remark))["node"] == {"item": {"title": "Dune"}}
    assert (await library.read(remark, permissions=films))["node"] == {"item": None}
    member = ask(
        "node",
        ("Member", ask("email")),
        ("Member", ask("hiddenFields")),
        ("Member", ask("items", nodes(ask("title")), ask("totalCount"), on="ItemConnection")),
        on=("Book", "Film", "Member", "Remark"),
        id="mem_1",
    )
    assert (await library.read(member, permissions=films))["node"] == {
        "email": None,
        "hiddenFields": ["email"],
        "items": {"nodes": [{"title": "Brazil"}], "totalCount": 1},
    }
    shown = (await library.read(member, permissions=frozenset({"directory:read"})))["node"]
    assert (shown["email"], shown["hiddenFields"]) == ("ada@example.org", [])
    refused = await library.answer(ask("member", ask("name"), on="Member", id="mem_1"), permissions=films)
    assert refused.data == {"member": None}
    assert isinstance(refused.errors[0][1], Forbidden)


async def test_computed_and_embedded_values(library: Library) -> None:
    parts = ask(
        "parts",
        ("Reel", ask("length")),
        ("Reel", ask("keeper", ask("name"), on="Member")),
        ("Disc", ask("side")),
        ask("__typename"),
        on=("Reel", "Disc"),
    )
    found = await library.read(items(nodes(ask("shout"), ("Film", parts)), filter={"kinds": ["film"]}))
    assert library.selects == 2
    assert found["items"]["nodes"] == [
        {"shout": "BRAZIL 2026 root", "parts": []},
        {
            "shout": "ALIEN 2026 root",
            "parts": [
                {"length": 9, "keeper": {"name": "Ben"}, "__typename": "Reel"},
                {"side": "B", "__typename": "Disc"},
            ],
        },
    ]


async def test_steps_of_their_own_and_the_first_of_an_order(library: Library) -> None:
    found = await library.read(
        ask("tally", ask("kind"), ask("count"), ask("latest"), ask("member", ask("name"), on="Member"), on="Tally"),
        ask("longest", ask("title"), on="Book", least=100),
        ask("longest", ask("title"), on="Book", key="none", least=900),
    )
    assert found["tally"][0] == {
        "kind": "book",
        "count": 2,
        "latest": "2026-01-05T09:02:00.000000Z",
        "member": {"name": "Ada"},
    }
    assert (found["longest"], found["none"]) == ({"title": "Dune"}, None)


async def test_a_payload_reads_what_its_row_names(library: Library) -> None:
    fields = (
        ask("item", ask("title"), ("Film", ask("minutes"))),
        ask("errors", ask("code"), ask("holder", ask("name"), on="Member"), on="LendError"),
        ask("clientMutationId"),
        ask("people", ask("name"), on="Member"),
    )
    done = await library.payload({"item": 3, "errors": [], "client_mutation_id": "m1", "people": [2, 9, 1]}, *fields)
    assert done == {
        "item": {"title": "Alien", "minutes": 117},
        "errors": [],
        "clientMutationId": "m1",
        "people": [{"name": "Ben"}, {"name": "Ada"}],
    }
    refused = await library.payload(
        {"item": None, "errors": [{"code": "TAKEN", "holder": 1}], "client_mutation_id": None, "people": []}, *fields
    )
    assert refused["item"] is None
    assert refused["errors"] == [{"code": "TAKEN", "holder": {"name": "Ada"}}]


async def test_a_list_gives_the_cursor_of_the_event_log_that_was_read_before_it(library: Library) -> None:
    found = await library.read(items(ask("cursor"), nodes(ask("id"))))
    assert isinstance(found["items"]["cursor"], str)
    assert "lane" in library.statements[0] or "lane" in library.statements[1]


async def test_plan_is_a_look_up_if_it_reads_one_row_by_its_key_and_nothing_else(library: Library) -> None:
    def of(*fields: Field, permissions: frozenset[str] | None = None) -> bool:
        return library.compiler.query(fields, permissions).is_lookup

    book = ask("book", ask("title"), ask("holder", ask("name"), on="Member"), on="Book", id="boo_1")
    remarks = ask("remarks", ask("nodes", ask("text"), on="Remark"), on="RemarkConnection")
    assert of(book)
    assert not of(book, ask("member", ask("name"), on="Member", id="mem_1"))
    assert not of(ask("book", ask("title"), remarks, on="Book", id="boo_1"))
    assert not of(ask("longest", ask("title"), on="Book", least=1))
    assert not of(items(nodes(ask("title"))))
    assert not of(book, permissions=frozenset())
