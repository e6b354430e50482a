"""A small contract over the library's graph: what the infrastructure does, whichever kind it serves."""

from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, CursorExpired, InvalidInput, Unavailable
from app.core.paging import Page
from app.rest import (
    BASIC,
    BEARER,
    SO_TICKET,
    TOKEN,
    X_API_KEY,
    About,
    Answer,
    Call,
    Contract,
    Description,
    Flag,
    Operation,
    Pick,
    Refusal,
    Reply,
    Whole,
    in_path,
    leaf,
    listed,
    one,
    root,
    sent,
)
from app.rest.bodies import ABSENT, Body, Listed, Ruled
from app.selection.catalogue import FieldFacts, TypeFacts
from app.selection.mapping import Env, Read, RootSteps
from app.storage.work import Work
from tests.kit.library import author, book, update_book

OFFSET = Whole("offset", "How many authors to pass over.", least=0, most=100, default=0)
LONG = Flag("long", "Nothing is done with it.")
BOOK = root(one("book", "Book", (leaf("id"), leaf("title", "name"), leaf("tags")), id=Pick("id")))
SHELF = root(
    one(
        "shelf",
        "Shelf",
        (
            one("authors", "Author", (leaf("name"), listed("books", "Book", (leaf("title"),), page=Page(size=500)))),
            leaf("more"),
        ),
        offset=Pick("offset"),
    )
)


def shelf(read: Read, _env: Env, arguments: Mapping[str, Any]) -> Generator[Any, Sequence[Any], Mapping[str, object]]:
    """The authors by name, two at a time."""
    rows = yield read.query("shelf", _page, size=3, offset=arguments.get("offset", 0))
    return {"authors": [row[0] for row in rows[:2]], "more": len(rows) > 2}


def _page() -> sa.Select[Any]:
    size, offset = sa.bindparam("size", type_=sa.Integer), sa.bindparam("offset", type_=sa.Integer)
    return sa.select(author.c.id).order_by(author.c.name).limit(size).offset(offset)


async def get_book(call: Call) -> Reply:
    found = await call.read(BOOK, id=call.path["id"])
    return Reply(body=found) if found is not None else Reply(status=404, body={"none": call.path["id"]})


class BookChanges(Body):
    """What to change of a book."""

    title: Ruled[Annotated[str, Field(max_length=100)]] = ABSENT
    tags: Listed[str] = ABSENT


class Book(TypedDict):
    """A book."""

    id: str
    name: str
    tags: list[str]


class Told(TypedDict):
    """Why it is refused."""

    code: str
    message: str
    path: list[str | int]
    request: str


async def patch_book(call: Call) -> Reply:
    changes = await call.given(BookChanges)
    changed = await call.perform(update_book, call.path["id"], changes.given(), None)
    return Reply(status=201, body={"id": changed.id}, headers=[("Location", f"{call.base_url}/shelf/{changed.id}")])


async def get_shelf(call: Call) -> Reply:
    found = await call.read(SHELF, offset=OFFSET.read(call.query))
    return Reply(body=[found, LONG.read(call.query)])


async def echo(call: Call) -> Reply:
    return Reply(body={"value": await call.json("application/json", "text/json", empty=True), "path": call.path})


async def refuse(call: Call) -> Reply:
    await call.perform(refused, call.path["why"])
    return Reply(status=204)


async def form(call: Call) -> Reply:
    return Reply(body=sorted(await call.form()))


def refused(work: Work, actor: Actor, why: str) -> None:
    work.connection.execute(sa.delete(book))
    match why:
        case "claimed":
            raise AlreadyClaimed("Taken.", claimed_by=1, claimed_until=None)
        case "expired":
            raise CursorExpired("Too old.", path=("after",))
        case "unavailable":
            raise Unavailable("Later.")
        case "forbidden":
            actor.require("shelf:write")
        case "invalid":
            raise InvalidInput("No.", path=("tags", 0))
    raise RuntimeError("secret detail")


def as_told(refusal: Refusal) -> Reply:
    body = {"code": refusal.code, "message": refusal.message, "path": refusal.path, "request": refusal.request_id}
    return Reply(status=refusal.status, body=body, headers=refusal.headers)


BOOK_ID = in_path("id", "The book's id.")
DESCRIPTION = Description(title="Shelf", version="1", what="The books.", error=Told)

CONTRACT = Contract(
    name="shelf",
    base="/shelf",
    operations=(
        Operation(
            "GET",
            "/shelf",
            get_shelf,
            About("getShelf", "The authors.", parameters=(OFFSET, LONG), answer=Answer(200, "Two of them.", list[Any])),
        ),
        Operation(
            "GET",
            "/shelf/books/{id}",
            get_book,
            About("getBook", "A book.", parameters=(BOOK_ID,), answer=Answer(200, "The book.", Book), refuses=(404,)),
        ),
        Operation(
            "PATCH",
            "/shelf/books/{id}",
            patch_book,
            About(
                "changeBook",
                "Change a book.",
                parameters=(BOOK_ID,),
                body=sent(BookChanges),
                answer=Answer(201, "Which one.", dict[str, int]),
                refuses=(404, 422),
            ),
        ),
        Operation("GET", "/shelf/books/first", echo),
        Operation("POST", "/shelf/echo/{one}/{two}", echo),
        Operation("POST", "/shelf/refuse/{why}", refuse),
        Operation("POST", "/outside", form, public=True),
    ),
    schemes=(BEARER, TOKEN, X_API_KEY, BASIC, SO_TICKET),
    refused=as_told,
    description=DESCRIPTION,
    statuses={"INVALID_INPUT": 422},
    roots={"shelf": RootSteps("Shelf", shelf)},
    types={
        "Shelf": TypeFacts(
            {"authors": FieldFacts("Author", nullable=False, many=True), "more": FieldFacts("Boolean", False, False)}
        )
    },
    any_case=True,
)
