import pytest

from app.core.errors import InvalidInput
from app.interactions.model import Level
from app.kinds.agent_session.model.metadata import (
    customer_key_of,
    escalation,
    json_object,
    json_structure,
    optional_json_object,
)
from app.settings import Settings

RULE = Settings().escalation
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
