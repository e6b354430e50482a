"""A graph of books and authors, so that what runs a graph is tested without any slice of the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from strawberry import UNSET, Maybe
from strawberry.scalars import JSON

from app.core.actor import Actor
from app.core.errors import InvalidInput, VersionConflict
from app.core.events import EventRecord
from app.core.ids import require_id
from app.core.sight import Viewer
from app.execution.operation import Operations
from app.feed import Entry, EventStream
from app.feed.stream import Match
from app.graph.context import Info
from app.graph.fields import (
    PAGING,
    Connection,
    GenericError,
    Node,
    UserError,
    VersionConflictError,
    argument,
    edge,
    mutation,
    root,
)
from app.graph.inputs import changes
from app.graph.slice import Slice
from app.schema import build_catalogue, build_schema
from app.selection.compiler import Compiler
from app.selection.mapping import (
    Computed,
    Many,
    One,
    Order,
    Root,
    RootMany,
    RootNode,
    TypeMap,
    UnionMap,
    by_id,
    equals,
    keyed,
    one_of,
)
from app.settings import Settings
from app.storage.database import Database, Work
from app.storage.tables import BigId, JsonValue, Timestamp
from tests.conftest import ManualClock

tables = sa.MetaData()
author = sa.Table(
    "author",
    tables,
    sa.Column("id", BigId, sa.Identity(), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)
book = sa.Table(
    "book",
    tables,
    sa.Column("id", BigId, sa.Identity(), primary_key=True),
    sa.Column("author_id", BigId, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("genre", sa.Text, nullable=False),
    sa.Column("tags", JsonValue, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("published_at", Timestamp),
)


class Genre(StrEnum):
    NOVEL = "NOVEL"
    ESSAY = "ESSAY"


GenreEnum = strawberry.enum(Genre, description="The genre of a book.")


@strawberry.input(description="Which books.")
class BookFilter:
    genres: list[GenreEnum] | None = strawberry.field(default=UNSET, description="The genres of the books.")  # type: ignore[valid-type]
    title: str | None = strawberry.field(default=UNSET, description="The title of the books.")


@strawberry.type(description="A book.")
class Book(Node):
    title: str = strawberry.field(description="The title of the book.")
    genre: GenreEnum = strawberry.field(description="The genre of the book.")  # type: ignore[valid-type]
    tags: list[str] = strawberry.field(description="The tags of the book.")
    note: str | None = strawberry.field(description="The note of the book.")
    version: int = strawberry.field(description="The version of the book.")
    published_at: datetime | None = strawberry.field(description="The time of the book's publication.")
    author: Annotated["Author", strawberry.lazy("tests.kit.library")] = strawberry.field(
        description="The author of the book."
    )
    broken: str | None = strawberry.field(description="The failure of the book.")


@strawberry.type(description="An author.")
class Author(Node):
    name: str = strawberry.field(description="The name of the author.")
    books: Connection[Book] = edge(
        description="The books of the author.",
        **PAGING,
        filter=argument(BookFilter | None, "Which books."),
    )


@strawberry.type
class Query:
    book: Book | None = root(description="A book.", id=argument(strawberry.ID, "The id of the book."))
    secret: Book | None = root(description="A secret book.", id=argument(strawberry.ID, "The id of the book."))
    authors: Connection[Author] = root(description="All authors.", **PAGING)
    node: Node | None = root(description="Any object.", id=argument(strawberry.ID, "The id of the object."))
    books: Connection[Book] = root(
        description="All books.", **PAGING, filter=argument(BookFilter | None, "Which books.")
    )


@strawberry.input(description="What to change of a book.")
class UpdateBookInput:
    id: strawberry.ID = strawberry.field(description="The id of the book.")
    title: Maybe[str] = strawberry.field(description="The title of the book.")
    note: Maybe[str | None] = strawberry.field(description="The note of the book.")
    tags: Maybe[list[str]] = strawberry.field(description="The tags of the book.")
    extra: Maybe[JSON] = strawberry.field(description="Anything.")
    if_version: int | None = strawberry.field(default=None, description="The version of the book as read.")
    client_mutation_id: str | None = strawberry.field(default=None, description="Given back.")


@strawberry.type(description="What came of an update.")
class UpdateBookPayload:
    book: Book | None = strawberry.field(description="The book after the update.")
    errors: list[UserError] = strawberry.field(description="Why nothing was done.")
    client_mutation_id: str | None = strawberry.field(description="The id of the mutation.")


@strawberry.type
class Mutation:
    @mutation(description="Change a book.", input="The book to change.")
    async def update_book(self, info: Info, input: UpdateBookInput) -> UpdateBookPayload:
        return await info.context.perform(
            input, "book", update_book, input.id, changes(dict, input, "title", "note", "tags"), input.if_version
        )

    @mutation(description="Always fails.", input="Nothing.")
    async def explode(self) -> UpdateBookPayload | None:
        raise RuntimeError("secret detail")


@strawberry.type(description="A tick.")
class Tick:
    cursor: str = strawberry.field(description="The cursor of the tick.")
    number: int = strawberry.field(description="The number of the tick.")
    book: Book | None = strawberry.field(description="The book of the tick.")


@strawberry.type
class Subscription:
    ticks: Tick = root(
        description="Ticks.",
        over=argument(int, "Only numbers over this one.", 0),
        after=argument(str | None, "The cursor to go on from."),
    )


def match_ticks(_viewer: Viewer, arguments: Mapping[str, Any]) -> Match:
    over = arguments["over"]
    if over < 0:
        raise InvalidInput("Ticks are over 0.", path=("over",))

    def match(entry: Entry) -> str | None:
        return "TICK" if entry.event.topic == "tick" and int(str(entry.event.data["number"])) > over else None

    return match


def tick_row(entry: Entry, _as_what: str) -> Mapping[str, object]:
    return {"cursor": entry.cursor_text, "book": entry.event.data.get("book"), **entry.event.data}


TICKS = EventStream("Tick", match_ticks, tick_row)


def tick(work: Work, *numbers: int, interaction: int = 1) -> None:
    """Tell of ticks."""
    for number in numbers:
        work.record(
            EventRecord(topic="tick", kind="tick", interaction_id=interaction, data={"number": number, "book": 1})
        )


@dataclass(frozen=True)
class Changed:
    id: int


def update_book(work: Work, actor: Actor, id_: str, given: dict[str, Any], if_version: int | None) -> Changed:
    key = require_id(id_, "boo").number
    if given.get("title") == "":
        raise InvalidInput("A title must not be empty.", path=("title",))
    version = work.connection.execute(sa.select(book.c.version).where(book.c.id == key)).scalar_one()
    if if_version is not None and if_version != version:
        raise VersionConflict("The book has changed.", current_version=version, path=("if_version",))
    work.connection.execute(sa.update(book).where(book.c.id == key).values(**given, version=version + 1))
    work.record(EventRecord(topic="user.updated", actor_id=actor.user_id, data={"book": key}))
    return Changed(key)


def _fail(_env: object, note: str | None) -> str:
    raise RuntimeError(f"secret {note}")


BY_ID = {"ID": Order(lambda scope: (scope.c.id,))}
FILTERS = {"genres": one_of(lambda scope: scope.c.genre), "title": equals(lambda scope: scope.c.title)}
MAPPINGS = (
    TypeMap(
        "Book",
        book,
        prefix="boo",
        fields={
            "author": One("Author", lambda scope: scope.c.author_id),
            "broken": Computed(("note",), _fail),
        },
    ),
    TypeMap(
        "Author",
        author,
        prefix="aut",
        fields={"books": Many("Book", by=keyed("author_id"), orders=BY_ID, default_order="ID", filters=FILTERS)},
    ),
)
ROOTS: dict[str, Root] = {
    "book": by_id("Book", "boo"),
    "secret": by_id("Book", "boo", requires="users:manage"),
    "authors": RootMany("Author", orders=BY_ID, default_order="ID"),
    "books": RootMany("Book", orders=BY_ID, default_order="ID", filters=FILTERS),
    "node": RootNode(),
}

READER = Actor(user_id=1, name="Reader", permissions=frozenset({"directory:read"}))
ADMIN = Actor(user_id=2, name="Admin", is_admin=True)


SLICES = (
    Slice(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        mappings=MAPPINGS,
        roots=ROOTS,
        streams={"ticks": TICKS},
    ),
    # Those of the product's errors that name no type of the product.
    Slice(types=(GenericError, VersionConflictError), mappings=(UnionMap("UserError"),)),
)


def make_operations(database: Database, settings: Settings, clock: ManualClock) -> Operations:
    schema = build_schema(SLICES)
    compiler = Compiler(build_catalogue(schema, SLICES), database.dialect)
    return Operations(schema, compiler, database, settings, clock)


def fill(work: Work) -> None:
    tables.create_all(work.connection)
    work.connection.execute(sa.insert(author), [{"name": "Ursula"}, {"name": "Italo"}])
    common = {"note": None, "version": 1, "published_at": work.now, "tags": ["a", "b"]}
    work.connection.execute(
        sa.insert(book),
        [
            {"author_id": 1, "title": "The Dispossessed", "genre": "NOVEL", **common},
            {"author_id": 1, "title": "Steering the Craft", "genre": "ESSAY", **common},
            {"author_id": 2, "title": "Invisible Cities", "genre": "NOVEL", **common},
        ],
    )
