"""The topics in the graph."""

from app.core.events import declared_events, topic_name
from app.registry import KINDS
from tests.graph.running import SCHEMA


def test_every_event_has_its_topic_in_the_enum() -> None:
    values = SCHEMA.type_map["EventTopic"].values  # type: ignore[attr-defined]
    said = {value.description for value in values.values()}
    events = [each for each in declared_events() if each.__module__.startswith("app.")]
    assert len(values) == len(events) > 80
    assert said == {each.__doc__ for each in events}


def test_topic_of_an_interaction_has_no_kind() -> None:
    for kind in KINDS:
        assert topic_name(f"{kind.name}.closed", kind.name) == "INTERACTION_CLOSED"
        assert topic_name("attention.raised", kind.name) == "ATTENTION_RAISED"
    assert topic_name("ai_agent.created", None) == "AI_AGENT_CREATED"
