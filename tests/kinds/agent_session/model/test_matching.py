import pytest

from app.core.errors import InvalidInput
from app.kinds.agent_session.model.matching import LONGEST_PATTERN, conditions, expression

METADATA = '{"priority":"urgent","level":2,"share":0.50,"open":true,"gone":null,"it\'s":"x","list":[1]}'


def test_an_expression_matches_anywhere() -> None:
    assert expression("sup.*t$")("customer support")
    assert not expression("^sup")("customer support")
    assert expression("(?i)STRASSE|straße")("Straße")


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", "x" * (LONGEST_PATTERN + 1), "a{1001}"])
def test_what_is_no_expression(pattern: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        expression(pattern)
    assert refused.value.path == ("filter",)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(x+x+)+y"])
def test_an_expression_is_tried_in_time_linear_to_the_text(pattern: str) -> None:
    # An engine that goes back would be at it for years.
    assert not expression(pattern)("a" * 9_999 + "!")


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("priority = 'urgent'", True),
        ("metadata.priority='urgent' AND session.level>=2", True),
        ("priority <> 'urgent'", False),
        ("level < 2", False),
        ("level > 1.5 and share <= 0.5 and share >= 0.5", True),
        ("open = true", True),
        ("open = 1", False),
        ("open != 1", True),
        ("gone = null", True),
        ("none = null", True),
        ("none = 'x'", False),
        ("none < 5", False),
        ("level = '2'", False),
        ("priority > 'u'", True),
        ("priority > 5", False),
        ("priority > null", False),
        ("level >= null", False),
        ("gone <= null", False),
        ("level > true", False),
        ("open >= true", False),
        ('{"priority": "urgent", "level": 2}', True),
        ('{"list": [1]}', True),
        ('{"level": 3}', False),
        ("{}", True),
    ],
)
def test_conditions(text: str, met: bool) -> None:
    assert conditions(text)(METADATA) is met


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "priority", "priority =", "= 'x'", "priority = urgent", "priority = 'x' or level = 2"),
        *("priority = 'x' and", "a = 'x'; DROP TABLE x", "priority = 'it's'", '{"a": }', '{"a": 1'),
        "a = 1 and " * 200 + "a = 1",
    ],
)
def test_what_are_no_conditions(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        conditions(text)
    assert refused.value.path == ("metadata_filter",)
