"""The topics that the schema lists are those that the code writes."""

from app.interactions.topics import INTERACTION, topic_name
from app.registry import KINDS
from tests.graph.running import SCHEMA
from tests.graph.topics import ANY, KIND_NAMES, all_topics


def test_enum_of_topics_is_what_the_code_writes() -> None:
    subjects = {ANY, *KIND_NAMES}
    written = {
        topic.replace(topic.partition(".")[0], INTERACTION, 1)
        for topic in all_topics()
        if topic.partition(".")[0] in subjects
    }
    others = {topic for topic in all_topics() if topic.partition(".")[0] not in subjects}
    wanted = {topic.replace(".", "_").upper() for topic in written | others}
    assert sorted(SCHEMA.type_map["EventTopic"].values) == sorted(wanted)  # type: ignore[attr-defined]


def test_topic_of_an_interaction_has_no_kind() -> None:
    for kind in KINDS:
        assert topic_name(f"{kind.name}.closed", kind.name) == "INTERACTION_CLOSED"
        assert topic_name("attention.raised", kind.name) == "ATTENTION_RAISED"
    assert topic_name("ai_agent.created", None) == "AI_AGENT_CREATED"
