"""A small world of its own to select from: a library with members, items of two kinds, and remarks on items."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from app.selection.catalogue import Catalogue, FieldFacts, TypeFacts
from app.selection.mapping import (
    Column,
    Computed,
    Embedded,
    Filter,
    HiddenFields,
    Inline,
    InlineMap,
    InterfaceMap,
    Many,
    ObjectMap,
    One,
    Order,
    Root,
    RootMany,
    RootNode,
    RootOne,
    RootSteps,
    TypeMap,
    UnionMap,
    both_ways,
    by_id,
    keyed,
    one_of,
    reference,
)
from app.selection.tree import Field
from app.storage.tables import JsonText, JsonValue, Timestamp
from app.storage.work import Work

metadata = sa.MetaData()

member = sa.Table(
    "lib_member",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
)
item = sa.Table(
    "lib_item",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("holder_id", sa.BigInteger),
    sa.Column("level", sa.SmallInteger),
    sa.Column("lent", sa.Boolean, nullable=False),
    sa.Column("tags", JsonValue, nullable=False),
    sa.Column("added_at", Timestamp, nullable=False),
)
book = sa.Table(
    "lib_book",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("sequel_id", sa.BigInteger),
)
film = sa.Table(
    "lib_film",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("parts", JsonText, nullable=False),
)
remark = sa.Table(
    "lib_remark",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("item_id", sa.BigInteger, nullable=False),
    sa.Column("author_id", sa.BigInteger),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.Index("lib_remark_by_item", "item_id", "at", "id"),
)

LEVELS = {1: "URGENT", 2: "HIGH"}


def _visible_items(permissions: frozenset[str] | None, scope: Any) -> Any:
    if permissions is None:
        return True
    seen = [kind for kind in ("book", "film") if f"{kind}:read" in permissions]
    return scope.c.kind.in_(seen) if seen else False


def _tally(read: Any, env: Any, arguments: Mapping[str, Any]) -> Any:
    rows = yield read.query(
        "tally",
        lambda: (
            sa.select(item.c.kind, sa.func.count(), sa.func.max(item.c.added_at))
            .group_by(item.c.kind)
            .order_by(item.c.kind)
        ),
    )
    return [{"kind": kind, "count": count, "latest": read.time(latest), "member": 1} for kind, count, latest in rows]


MAPPINGS = (
    TypeMap(
        "Member",
        member,
        "mem",
        {
            "email": Column(lambda s: s.c.email, requires="directory:read"),
            "hiddenFields": HiddenFields(),
            "items": Many(
                "Item",
                keyed("holder_id"),
                {"ADDED": Order(lambda s: (s.c.added_at, s.c.id), True)},
                "ADDED",
                {"kinds": one_of(lambda s: s.c.kind)},
            ),
        },
    ),
    InterfaceMap(
        "Item",
        item,
        "kind",
        {
            "holder": One("Member", lambda s: s.c.holder_id),
            "status": Inline("Status"),
            "shout": Computed(
                ("title", "added_at"), lambda env, title, at: f"{title.upper()} {at.year} {env.actor.name}"
            ),
            "remarks": Many(
                "Remark",
                keyed("item_id"),
                both_ways("AT", lambda s: (s.c.at, s.c.id)),
                "AT_ASC",
                inherits=True,
            ),
        },
        _visible_items,
    ),
    InlineMap("Status", {"level": Column(lambda s: s.c.level, names=LEVELS), "lent": Column(lambda s: s.c.lent)}),
    TypeMap(
        "Book",
        book,
        "boo",
        {"sequel": One("Book", lambda s: s.c.sequel_id)},
        base="Item",
        value="book",
        requires="book:read",
    ),
    TypeMap(
        "Film",
        film,
        "fil",
        {"parts": Embedded("Part", lambda s: s.c.parts, many=True)},
        base="Item",
        value="film",
        requires="film:read",
    ),
    TypeMap(
        "Remark",
        remark,
        "rem",
        {"author": One("Member", lambda s: s.c.author_id), "item": One("Item", lambda s: s.c.item_id)},
    ),
    UnionMap("Part", "type", {"reel": "Reel", "disc": "Disc"}),
    ObjectMap("Reel", {"keeper": One("Member", key="keeper_id")}),
)
ROOTS: dict[str, Root] = {
    "node": RootNode(),
    "nodes": RootNode(many=True),
    "member": by_id("Member", "mem", requires="directory:read"),
    "book": by_id("Book", "boo", requires="book:read"),
    "longest": RootOne(
        "Book",
        lambda s, bind: s.c.pages >= bind("least", sa.Integer),
        lambda env, a: {"least": a["least"]},
        order=lambda s: (s.c.pages.desc(),),
    ),
    "items": RootMany(
        "Item",
        {
            **both_ways("ADDED_AT", lambda s: (s.c.added_at, s.c.id)),
            **both_ways("TITLE", lambda s: (s.c.title, s.c.id)),
        },
        "ADDED_AT_DESC",
        {
            "kinds": one_of(lambda s: s.c.kind),
            "holder": reference(lambda s: s.c.holder_id, "mem"),
            "added_at.after": Filter(lambda s, bind, _: s.c.added_at >= bind(Timestamp())),
        },
    ),
    "books": RootMany(
        "Book",
        {"PAGES": Order(lambda s: (s.c.pages, s.c.id))},
        "PAGES",
        {"least": Filter(lambda s, bind, _: s.c.pages >= bind(sa.Integer))},
    ),
    "tally": RootSteps("Tally", _tally, many=True),
}


def _facts(**fields: str) -> TypeFacts:
    return TypeFacts(
        {
            name: FieldFacts(text.strip("[]!"), not text.endswith("!"), text.startswith("["))
            for name, text in fields.items()
        }
    )


_ITEM = {
    "id": "ID!",
    "title": "String!",
    "holder": "Member",
    "status": "Status!",
    "shout": "String!",
    "tags": "[String]!",
    "lent": "Boolean!",
    "addedAt": "DateTime!",
    "remarks": "RemarkConnection!",
}
TYPES = {
    "Query": _facts(
        node="Node",
        nodes="[Node]!",
        member="Member",
        book="Book",
        longest="Book",
        items="ItemConnection!",
        books="BookConnection!",
        tally="[Tally]!",
    ),
    "Member": _facts(id="ID!", name="String!", email="String", items="ItemConnection!", hiddenFields="[String!]!"),
    "Book": _facts(**_ITEM, pages="Int!", sequel="Book"),
    "Film": _facts(**_ITEM, minutes="Int!", parts="[Part]!"),
    "Remark": _facts(id="ID!", text="String!", at="DateTime!", author="Member", item="Item"),
    "Reel": _facts(length="Int!", keeper="Member"),
    "Disc": _facts(side="String!"),
    "Tally": _facts(kind="String!", count="Int!", latest="DateTime", member="Member"),
    "LendPayload": _facts(item="Item", errors="[LendError]!", clientMutationId="String", people="[Member]!"),
    "LendError": _facts(code="String!", holder="Member"),
}


def catalogue() -> Catalogue:
    return Catalogue(MAPPINGS, ROOTS, TYPES)


ITEM_TYPES = ("Book", "Film")


def ask(
    name: str, *children: Any, key: str | None = None, on: str | Iterable[str] | None = None, **arguments: object
) -> Field:
    """A field as a transport would hand it over. `children` are fields, or (type, field) for one concrete type only."""
    if not children:
        return Field(name, key or name, lambda _: dict(arguments), None)
    types = [on] if isinstance(on, str) else list(on or ITEM_TYPES)
    by_type = {
        each: tuple(
            child if isinstance(child, Field) else child[1]
            for child in children
            if isinstance(child, Field) or child[0] == each
        )
        for each in types
    }
    return Field(name, key or name, lambda _: dict(arguments), by_type)


def fill(work: Work) -> None:
    """Two members, a book with its sequel, a film, and remarks; item n was added n minutes past nine."""
    metadata.create_all(work.connection)
    connection = work.connection
    at = work.now.replace
    connection.execute(
        member.insert(), [{"id": 1, "name": "Ada", "email": "ada@example.org"}, {"id": 2, "name": "Ben", "email": None}]
    )
    rows = [
        (1, "book", "Dune", 1, 1, True),
        (2, "book", "Emma", None, None, False),
        (3, "film", "Alien", 2, 2, True),
        (4, "film", "Brazil", 1, None, False),
    ]
    connection.execute(
        item.insert(),
        [
            {
                "id": i,
                "kind": k,
                "title": t,
                "holder_id": h,
                "level": lv,
                "lent": lent,
                "tags": [t.lower(), "x"],
                "added_at": at(minute=i),
            }
            for i, k, t, h, lv, lent in rows
        ],
    )
    connection.execute(
        book.insert(), [{"id": 1, "pages": 500, "sequel_id": 2}, {"id": 2, "pages": 300, "sequel_id": None}]
    )
    connection.execute(
        film.insert(),
        [
            {"id": 3, "minutes": 117, "parts": '[{"type":"reel","length":9,"keeper_id":2},{"type":"disc","side":"B"}]'},
            {"id": 4, "minutes": 132, "parts": "[]"},
        ],
    )
    connection.execute(
        remark.insert(),
        [
            {
                "id": n,
                "item_id": 1 + n % 3,
                "author_id": 1 + n % 2 if n % 5 else None,
                "text": f"r{n}",
                "at": at(second=n),
            }
            for n in range(1, 13)
        ],
    )
