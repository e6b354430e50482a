"""Arguments and variables that do not fit are refused with a code and their place, and reach no command."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.graph.exchanges import CONTENTS, text
from tests.graph.filled import Filled
from tests.graph.running import mutation_text
from tests.graph.state import picture_of, unchanged

pytestmark = pytest.mark.anyio

WIDGET, CALM = "cnv_6", "ags_11"


def nested(depth: int) -> str:
    """Fields `depth` deep."""
    inner = "id"
    for _ in range((depth - 2) // 2):
        inner = f"customer {{ interactions(first: 1) {{ nodes {{ {inner} }} }} }}"
    return inner


QUERIES: Sequence[tuple[str, str, Sequence[str]]] = [
    ("{ interactions(first: 0) { nodes { id } } }", "INVALID_INPUT", ["first"]),
    ("{ interactions(first: -1) { nodes { id } } }", "INVALID_INPUT", ["first"]),
    ("{ interactions(first: 101) { nodes { id } } }", "INVALID_INPUT", ["first"]),
    ("{ interactions(last: 0) { nodes { id } } }", "INVALID_INPUT", ["last"]),
    ("{ interactions(last: 101) { nodes { id } } }", "INVALID_INPUT", ["last"]),
    ("{ interactions(first: 1, last: 1) { nodes { id } } }", "INVALID_INPUT", ["last"]),
    ('{ interactions(after: "a", before: "b") { nodes { id } } }', "INVALID_INPUT", ["before"]),
    ('{ interactions(after: "nonsense") { nodes { id } } }', "INVALID_CURSOR", ["after"]),
    ('{ interactions(last: 1, before: "") { nodes { id } } }', "INVALID_CURSOR", ["before"]),
    ('{ interactions(filter: {customerId: "usr_1"}) { nodes { id } } }', "INVALID_INPUT", ["filter", "customerId"]),
    (
        '{ interactions(filter: {assignee: {userId: "x"}}) { totalCount } }',
        "NOT_FOUND",
        ["filter", "assignee", "userId"],
    ),
    ("{ interactions(filter: {kinds: [NOBODY]}) { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED", []),
    ('{ customers(profileId: "cus_1") { nodes { id } } }', "INVALID_INPUT", ["profileId"]),
    ("{ customer { id } }", "INVALID_INPUT", ["id"]),
    ('{ customer(id: "cus_1", customerKey: "k") { id } }', "INVALID_INPUT", ["id"]),
    ('{ user(id: "cus_1") { id } }', "INVALID_INPUT", ["id"]),
    ('{ user(id: "nonsense") { id } }', "NOT_FOUND", ["id"]),
    ('{ session(sessionKey: "no uuid") { id } }', "GRAPHQL_VALIDATION_FAILED", []),
    ('{ searchMessages(text: "?!") { nodes { id } } }', "INVALID_INPUT", ["text"]),
    (f'{{ searchMessages(text: "{" ".join(map(str, range(33)))}") {{ nodes {{ id }} }} }}', "INVALID_INPUT", ["text"]),
    ("{ events(first: 101) { cursor } }", "INVALID_INPUT", ["first"]),
    ('{ events(after: "nonsense") { cursor } }', "INVALID_CURSOR", ["after"]),
    ("{{ nodes(ids: [{}]) {{ id }} }}".format(", ".join(['"ses_1"'] * 101)), "INVALID_INPUT", ["ids"]),
    (f"{{ interactions(first: 1) {{ nodes {{ {nested(34)} }} }} }}", "TOO_COMPLEX", []),
    ("{ a%s }" % (" " * 65_536), "TOO_COMPLEX", []),
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", []),
    ("{ interactions(", "GRAPHQL_PARSE_FAILED", []),
    ('{ customers(search: "a\\u0000b") { nodes { id } } }', "INVALID_INPUT", []),
    ('{ customers(search: "a\\uD800b") { nodes { id } } }', "GRAPHQL_PARSE_FAILED", []),
]


async def test_refused_queries_say_what_is_wrong(filled: Filled) -> None:
    wrong = []
    for query, code, argument in QUERIES:
        answer = await filled.graph.answer(query, filled.people.admin)
        found = [(each["extensions"]["code"], each["extensions"].get("argument", [])) for each in answer["errors"]]
        if found[0] != (code, argument) or (answer.get("data") is not None and any(answer["data"].values())):
            wrong.append((query[:200], found))
    assert wrong == []


VARIABLES: Sequence[tuple[str, Mapping[str, Any], str, Sequence[str]]] = [
    ("updateConversation", {"id": WIDGET, "status": None}, "INVALID_INPUT", ["input", "status"]),
    ("updateConversation", {"id": None}, "BAD_USER_INPUT", ["input", "id"]),
    ("updateConversation", {"status": "DONE"}, "BAD_USER_INPUT", ["input"]),
    ("updateConversation", {"id": WIDGET, "status": "NEVER"}, "BAD_USER_INPUT", ["input", "status"]),
    ("updateConversation", {"id": WIDGET, "stranger": 1}, "BAD_USER_INPUT", ["input"]),
    ("updateAgentSession", {"id": CALM, "enabled": None}, "INVALID_INPUT", ["input", "enabled"]),
    ("claimInteraction", {"id": WIDGET, "leaseSeconds": 2**31}, "BAD_USER_INPUT", ["input", "leaseSeconds"]),
    ("claimInteraction", {"id": WIDGET, "leaseSeconds": "1"}, "BAD_USER_INPUT", ["input", "leaseSeconds"]),
    ("claimInteraction", {"id": WIDGET, "ifVersion": 1.5}, "BAD_USER_INPUT", ["input", "ifVersion"]),
    ("snoozeInteraction", {"id": WIDGET, "until": "tomorrow"}, "BAD_USER_INPUT", ["input", "until"]),
    ("addNote", {"id": WIDGET, "text": "a\0b"}, "INVALID_INPUT", ["input", "text"]),
    ("addNote", {"id": WIDGET, "text": "a\ud800b"}, "INVALID_INPUT", ["input", "text"]),
    ("addNote", {"id": "ses\0", "text": "x"}, "INVALID_INPUT", ["input", "id"]),
    ("updateAgentSession", {"id": CALM, "metadata": {"a\0": 1}}, "INVALID_INPUT", ["input", "metadata"]),
    (
        "updateAgentSession",
        {"id": CALM, "metadata": {"a": ["\udfff"]}},
        "INVALID_INPUT",
        ["input", "metadata", "a", "0"],
    ),
    ("sendMessage", {"id": WIDGET, "content": {}}, "BAD_USER_INPUT", ["input", "content"]),
    ("sendMessage", {"id": WIDGET, "content": {**text("x"), **CONTENTS[1]}}, "BAD_USER_INPUT", ["input", "content"]),
    ("sendMessage", {"id": WIDGET, "content": {"text": None}}, "BAD_USER_INPUT", ["input", "content"]),
    ("receiveMessage", {"target": {}, "contents": [text("x")]}, "BAD_USER_INPUT", ["input", "target"]),
]


async def test_variables_that_do_not_fit_never_reach_a_command(filled: Filled) -> None:
    before = await picture_of(filled.graph.database)
    wrong = []
    for mutation, given, code, argument in VARIABLES:
        answer = await filled.graph.answer(mutation_text(mutation), filled.people.admin, input=given)
        found = [(each["extensions"]["code"], each["extensions"].get("argument")) for each in answer.get("errors", ())]
        if not found or found[0] != (code, argument) or answer.get("data") is not None:
            wrong.append((mutation, given, found, answer.get("data")))
    assert wrong == []
    await unchanged(filled.graph.database, before)
