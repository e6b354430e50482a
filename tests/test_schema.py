"""The schema as text says what the schema says of itself."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_named_type,
    graphql_sync,
    is_required_input_field,
    lexicographic_sort_schema,
    print_schema,
)

from app.core.paging import DEFAULT_PAGE
from app.directory.graphql.inputs import CreateProfileInput, CreateUserInput
from app.directory.model import Profile, User
from app.graph.strawberry_adapter.declaring import graph_name
from app.kinds.agent_session.graphql.inputs import CreateAgentSessionInput, CreateAiAgentInput
from app.kinds.agent_session.model import AgentSession, AiAgent
from app.kinds.chat_session.graphql.inputs import (
    AddChatTopicMemberInput,
    CreateChatTopicInput,
    RequestChatSessionInput,
)
from app.kinds.chat_session.model.session import ChatSession
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicMember
from app.schema import build_schema as build_own_schema
from app.schema import print_sdl


def test_the_text_is_what_introspection_tells() -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    )
    told = graphql_sync(build_own_schema(), query)
    assert told.errors is None
    assert told.data is not None
    text = print_sdl()
    of_introspection = lexicographic_sort_schema(build_client_schema(told.data))  # type: ignore[arg-type]
    assert print_schema(of_introspection) == print_schema(build_schema(text))
    assert "input MessageContentInput @oneOf {" in text


def test_input_of_each_mutation_is_named_after_it() -> None:
    mutation = build_own_schema().mutation_type
    assert mutation is not None
    assert len(mutation.fields) > 70
    for name, field in mutation.fields.items():
        taken = {argument: str(each.type) for argument, each in field.args.items()}
        assert taken == {"input": f"{name[0].upper()}{name[1:]}Input!"}


def test_default_of_each_order_is_in_the_schema() -> None:
    declared = re.findall(r"^ +orderBy: (\w+) = \{ direction: (\w+), field: (\w+) \}$", print_sdl(), re.MULTILINE)
    assert len(declared) == print_sdl().count("orderBy: ")
    assert set(declared) == {
        ("HistoryOrder", "DESC", "AT"),
        ("InteractionOrder", "DESC", "LATEST_MESSAGE_AT"),
        ("MessageOrder", "ASC", "SENT_AT"),
        ("NoteOrder", "DESC", "CREATED_AT"),
    }


def test_direction_that_is_not_given_is_that_of_the_default_order() -> None:
    types = build_own_schema().type_map
    names = [name for name, type_ in types.items() if name.endswith("Order") and not name.startswith("__")]
    assert len(names) == 4
    for name in names:
        type_ = types[name]
        assert isinstance(type_, GraphQLInputObjectType)
        directions = set(re.findall(rf"orderBy: {name} = \{{ direction: (\w+),", print_sdl()))
        assert directions == {type_.fields["direction"].default_value}
        assert str(type_.fields["field"].type) == f"{name}Field!"


def test_default_of_each_page_is_in_the_schema() -> None:
    declared = re.findall(r"^ +first: (.*)$", print_sdl(), re.MULTILINE)
    assert len(declared) > 30
    assert set(declared) == {f"Int = {DEFAULT_PAGE}"}


@pytest.mark.parametrize(
    ("taken", "made", "names"),
    [
        (CreateUserInput, User, ["type", "is_service"]),
        (CreateProfileInput, Profile, ["blocked"]),
        (CreateAiAgentInput, AiAgent, ["enabled"]),
        (CreateAgentSessionInput, AgentSession, ["enabled", "tti_minutes"]),
        (CreateChatTopicInput, ChatTopic, ["bot_enabled", "initial_status", "ticket_enabled"]),
        (AddChatTopicMemberInput, ChatTopicMember, ["can_respond", "can_listen", "can_manage", "can_notify"]),
        (RequestChatSessionInput, ChatSession, ["customer_consented"]),
    ],
)
def test_defaults_of_inputs_are_those_of_the_models(taken: type, made: type, names: list[str]) -> None:
    assert [_default(taken, name) for name in names] == [_default(made, name) for name in names]
    type_ = build_own_schema().type_map[taken.__name__]
    assert isinstance(type_, GraphQLInputObjectType)
    given = [type_.fields[graph_name(name)] for name in names]
    assert all(str(field.type).endswith("!") and not is_required_input_field(field) for field in given)


def _default(of: type, name: str) -> object:
    return next(field.default for field in dataclasses.fields(of) if field.name == name)


def test_names_of_ids_and_keys_have_one_type_each() -> None:
    types: dict[str, set[str]] = {}
    for _, name, type_ in _values():
        if re.search(r"(Id|Ids|Key|At)$", name):
            types.setdefault(name, set()).add(type_)
    assert len(types) > 40
    several = {name: found for name, found in types.items() if len(found) > 1}
    # A filter takes a span of time; the key of a Session is a UUID in its contract, that of a chat is not.
    spans = {name: {"DateTime", "TimeRange"} for name in ("createdAt", "updatedAt", "latestMessageAt")}
    assert several == {**spans, "sessionKey": {"String", "UUID"}}


def test_names_of_ids_say_that_they_are_ids() -> None:
    named = {name for _, name, type_ in _values() if type_ == "ID"}
    assert len(named) > 15
    assert {name for name in named if not re.search(r"^ids?$|Ids?$|IdOrNobody$", name)} == set()


def _values() -> Iterator[tuple[str, str, str]]:
    """The fields and arguments of the schema: their owner, name, and named type."""
    for type_ in build_own_schema().type_map.values():
        fields: dict[str, Any] = {} if type_.name.startswith("__") else getattr(type_, "fields", {})
        for name, field in fields.items():
            yield type_.name, name, get_named_type(field.type).name
            for argument, taken in getattr(field, "args", {}).items():
                yield f"{type_.name}.{name}", argument, get_named_type(taken.type).name
