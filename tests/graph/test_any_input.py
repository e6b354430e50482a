"""Whatever a mutation is given, its answer is a payload or a refusal with a code: never a failure of ours."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
)

from app.core.errors import DomainError
from app.graph.strawberry_adapter.reading import is_one_of
from tests.graph.filled import Filled, fill
from tests.graph.running import SCHEMA, mutation_text, running_graph
from tests.graph.state import Picture, picture_of, unchanged
from tests.sizes import sized

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

EXAMPLES = sized(2, 10)
"""Inputs that each mutation gets on each database, which are others on the other one."""

MUTATIONS: list[str] = list(SCHEMA.mutation_type.fields) if SCHEMA.mutation_type else []
PREFIXES = (
    "ses",
    "ags",
    "chs",
    "cnv",
    "msg",
    "not",
    "cus",
    "prf",
    "usr",
    "key",
    "aia",
    "cha",
    "top",
    "tpm",
    "sug",
    "con",
    "dlv",
    "frd",
    "idn",
)
TEXTS = (
    *("", " ", "x", "ok", "admin", "zoe-key", "agt_other", "closed-1", "directory:read", "Europe/Oslo", "08:00"),
    *("+4790000001", "zoe@example.com", "NO", "2026-01-01", "59.9", "****", "********", "null", "[]", "{}", "0", "-1"),
    *(
        "ünï \U0001f600",
        "\U0001f600",
        "‮abc",
        "a\nb\tc",
        "x" * 256,
        "x" * 11_000,
        "'; DROP TABLE message; --",
        '"',
        "\\",
    ),
    *("İ" * 65, "%_%", "${x}", "\ufeff", "\x01", "\x7f", "e\u0301" * 70, "ses_1", "usr_1"),
)
UNSTORABLE = ("a\0b", "\ud800")
NUMBERS = (0, 1, -1, 2, 42, 100, 86_400, 2**31 - 1, -(2**31))
LONG_NUMBERS = (*NUMBERS, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, "9007199254740993", "1.0")
MOMENTS = (
    *("2026-01-06T12:00:00Z", "2027-01-01T00:00:00+05:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"),
    *("2026-01-06T11:31:19.123456Z", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "tomorrow", ""),
)
JSONS: Sequence[Any] = (
    *(
        {},
        {"a": {"b": [1, 2.5, None, True]}},
        {"customer_id": "cust_zoe"},
        {"priority": "urgent"},
        [],
        "{}",
        '{"a": 1}',
    ),
    *("{", "text", 1, 1e300, 2**63, 2**70, True, {"": ""}, {"x" * 300: "y"}, {"n": 10**19}, {"a": ["\U0001f600"] * 50}),
    *({"token": "s"}, {"token": None}, {"bad name": "x"}, {"customer_id": 5, "escalation_level": 0}, "x" * 5000),
)


def codes(of: type[DomainError] = DomainError) -> set[str]:
    """Every code that a refusal can have."""
    found = {of.code} if "code" in vars(of) else set()
    return found.union(*(codes(each) for each in of.__subclasses__()))


class Inputs:
    """Draws values of input types, mostly of what is stored, some of it hostile."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def of(self, type_: GraphQLInputType, name: str = "") -> Any:
        random = self.random
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif random.random() < 0.12:
            return None
        if isinstance(type_, GraphQLList):
            return [self.of(type_.of_type, name) for _ in range(random.choice((0, 1, 1, 2, 3, 70)))]
        if isinstance(type_, GraphQLEnumType):
            return random.choice([*type_.values, *type_.values, "NOBODY"])
        if isinstance(type_, GraphQLInputObjectType):
            return self.object(type_)
        match type_.name:
            case "Boolean":
                return random.choice((True, False))
            case "Int":
                return random.choice(NUMBERS)
            case "Long":
                return random.choice(LONG_NUMBERS)
            case "Float":
                return random.choice((0.0, -1.5, 1e308, 12))
            case "DateTime" | "Date":
                return random.choice(MOMENTS)
            case "JSON" | "JSONObject":
                return random.choice(JSONS)
            case "ID":
                return self.id(name)
            case _:
                return random.choice(UNSTORABLE if random.random() < 0.03 else TEXTS)

    def id(self, name: str) -> str:
        if self.random.random() < 0.1:
            return str(self.random.choice(("", "nonsense", "xyz_1", "ses_0", "usr_99999999999999999999")))
        own = {
            "user": "usr",
            "customer": "cus",
            "profile": "prf",
            "topic": "top",
            "reference": "msg",
            "channelAgent": "cha",
        }
        prefix = own.get(re.sub("Id$", "", name)) or self.random.choice(PREFIXES)
        return f"{prefix}_{self.random.randint(1, 20)}"

    def object(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        names = sorted(type_.fields)
        if is_one_of(type_):
            name = self.random.choice(names)
            return {name: self.of(type_.fields[name].type, name)}
        needed = [name for name in names if isinstance(type_.fields[name].type, GraphQLNonNull)]
        optional = [name for name in names if name not in needed]
        chosen = needed + self.random.sample(optional, self.random.randint(0, min(4, len(optional))))
        return {name: self.of(type_.fields[name].type, name) for name in chosen}


def aimed(mutation: str, given: dict[str, Any], random: Random) -> dict[str, Any]:
    """With an id of a type that the mutation is about, most of the time."""
    if "id" not in given or random.random() < 0.15:
        return given
    prefixes = next((found for word, found in _ABOUT if word in mutation), ("ses", "ags", "chs", "cnv"))
    prefix = random.choice(prefixes)
    number = random.choice(_NUMBERS.get(prefix, range(1, 8)))
    return {**given, "id": f"{prefix}_{number}"}


_ABOUT: Sequence[tuple[str, Sequence[str]]] = (
    ("TopicMember", ("tpm",)),
    ("Topic", ("top",)),
    ("Chat", ("chs",)),
    ("Fetched", ("chs",)),
    ("ApiKey", ("key",)),
    ("AgentSession", ("ags",)),
    ("AiAgent", ("aia",)),
    ("ChannelAgent", ("cha",)),
    ("Conversation", ("cnv",)),
    ("SuggestedMessage", ("sug",)),
    ("updateSession", ("ses",)),
    ("Customer", ("cus",)),
    ("Profile", ("prf",)),
    ("Identity", ("idn",)),
    ("User", ("usr",)),
    ("editNote", ("not",)),
    ("deleteNote", ("not",)),
    ("deleteMessage", ("msg",)),
    ("setReaction", ("msg",)),
    ("MessageStatus", ("msg",)),
)
_NUMBERS: Mapping[str, range] = {
    "cnv": range(5, 10),
    "ags": range(10, 14),
    "chs": range(14, 20),
    "msg": range(1, 25),
    "ses": range(1, 5),
    "cus": range(1, 12),
}


@dataclass
class Changing:
    """Interactions of every kind that the tests of this module change as they come."""

    filled: Filled
    picture: Picture | None = None
    """What the last test has left, if it came to its end."""


@pytest.fixture(scope="module")
async def changing(changing_url: str) -> AsyncIterator[Changing]:
    async with running_graph(changing_url) as found:
        yield Changing(await fill(found))


def _gently_first(mutation: str) -> tuple[bool, str]:
    """What takes things away comes last."""
    return mutation.startswith(("delete", "remove", "revoke", "deactivate", "block", "close")), mutation


ORDERED: list[str] = sorted(MUTATIONS, key=_gently_first)


@pytest.mark.parametrize("mutation", ORDERED)
async def test_a_mutation_is_done_or_refused_whatever_it_is_given(changing: Changing, mutation: str) -> None:
    assert SCHEMA.mutation_type is not None
    known, people, graph = codes(), changing.filled.people, changing.filled.graph
    random = Random(mutation + graph.database.dialect.name)
    type_: Any = SCHEMA.mutation_type.fields[mutation].args["input"].type
    actors = [people.admin, people.admin, people.actors["bo"]]
    before, changing.picture = changing.picture or await picture_of(graph.database), None
    for _ in range(EXAMPLES):
        given = aimed(mutation, Inputs(random).of(type_), random)
        graph.clock.advance(random.choice((0, 0, 1)))
        answer = await graph.answer(mutation_text(mutation), random.choice(actors), input=given)
        where = f"{mutation}({given}): {answer}"
        for error in answer.get("errors", ()):
            assert error["extensions"]["code"] in {*known, "BAD_USER_INPUT"}, where
            assert error["extensions"].get("argument"), where
        payload = (answer.get("data") or {}).get(mutation)
        refused = payload is None or payload["errors"] != []
        if payload is not None:
            assert payload["clientMutationId"] == given.get("clientMutationId")
            for error in payload["errors"]:
                assert error["code"] in known, where
                assert error["message"].strip(), where
        if refused:
            before = await unchanged(graph.database, before)
        else:
            before = await picture_of(graph.database)
    changing.picture = before
