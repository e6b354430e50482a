from collections.abc import Callable

import orjson
import pytest

from app.core import json_input
from app.core.errors import InvalidInput, TooLong
from app.directory.model.checks import Path
from app.interactions.model import Level
from app.kinds.agent_session.model.metadata import (
    LONGEST_OBJECT,
    LONGEST_STRUCTURE,
    customer_key_of,
    escalation,
    json_object,
    json_structure,
    optional_json_object,
)
from app.kinds.agent_session.settings import AgentSessionSettings

RULE = AgentSessionSettings().escalation
WRITTEN = '{ "z" : 1.10,\n"a":1E3, "n": 123456789012345678901234567890, "t":"\\u00e9" }'


def test_a_text_stays_byte_for_byte() -> None:
    assert json_object(WRITTEN, ()) == WRITTEN
    assert optional_json_object(WRITTEN, ()) == WRITTEN
    assert json_structure("[1.0 ]", ()) == "[1.0 ]"


def test_an_object_keeps_the_order_of_its_keys() -> None:
    assert json_object({"z": 1, "a": {"y": [], "b": None}}, ()) == '{"z":1,"a":{"y":[],"b":null}}'


def test_nothing_is_an_empty_object() -> None:
    assert (json_object(None, ()), json_structure(None, ()), optional_json_object(None, ())) == ("{}", "{}", None)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "{",
        "[]",
        '"text"',
        "null",
        "1",
        '{"a":NaN}',
        [],
        5,
        True,
        '{"a":"\\u0000"}',
        '{"\\ud800":1}',
        '{"a":' * 65 + "1" + "}" * 65,
        '{"a":' * 50_000,
    ],
)
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        json_object(value, ("metadata",))
    assert refused.value.path == ("metadata",)


def test_the_deepest_object() -> None:
    text = '{"a":' * 63 + "{}" + "}" * 63
    assert json_object(text, ()) == text


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ('{"customer_id":"customer_12345"}', "customer_12345"),
        ('{"customer_id":12345}', "12345"),
        ('{"customer_id":true}', None),
        ('{"customer_id":1.0}', None),
        ('{"customer_id":" "}', None),
        ('{"customer_id":""}', None),
        ('{"customer_id":null}', None),
        ('{"customer_id":{"a":1}}', None),
        (f'{{"customer_id":"{"x" * 256}"}}', None),
        ("{}", None),
    ],
)
def test_metadata_names_its_customer_by_key(metadata: str, key: str | None) -> None:
    assert customer_key_of(metadata) == key


@pytest.mark.parametrize(
    ("metadata", "level"),
    [
        ("{}", None),
        ('{"resolution_status":"escalated"}', Level.HIGH),
        ('{"resolution_status":"open"}', None),
        ('{"priority":"urgent"}', Level.URGENT),
        ('{"priority":"high"}', None),
        ('{"escalation_level":"tier_2"}', Level.HIGH),
        ('{"escalation_level":2}', Level.HIGH),
        ('{"escalation_level":null}', None),
        ('{"escalation_level":"tier_2","priority":"urgent"}', Level.URGENT),
        ('{"escalation_level":"tier_2","priority":"low"}', Level.HIGH),
        ('{"priority":["urgent"]}', None),
    ],
)
def test_the_default_rule_of_escalation(metadata: str, level: Level | None) -> None:
    assert escalation(metadata, RULE) is level


def test_the_rule_is_a_setting() -> None:
    rule = {"mood": ("angry", "sad")}
    assert escalation('{"mood":"angry"}', rule) is Level.HIGH
    assert escalation('{"mood":"sad","priority":"urgent"}', rule) is Level.URGENT
    assert escalation('{"priority":"urgent"}', rule) is None


@pytest.mark.parametrize(
    ("check", "longest"),
    [(json_object, LONGEST_OBJECT), (optional_json_object, LONGEST_OBJECT), (json_structure, LONGEST_STRUCTURE)],
)
def test_a_text_that_is_too_long_is_refused_before_it_is_read(
    check: Callable[[object, Path], str | None], longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest_of_all = {"a": "x" * (longest - 8)}
    assert len(check(longest_of_all, ()) or "") == longest
    read: list[object] = []
    monkeypatch.setattr(json_input, "loads_exact", read.append)
    too_long = {"a": "x" * (longest - 7)}
    for value in (too_long, orjson.dumps(too_long).decode(), "x" * 1_000_000):
        with pytest.raises(TooLong) as refused:
            check(value, ("metadata",))
        assert refused.value.path == ("metadata",)
        assert f"{longest:,}" in refused.value.message
    assert read == []
