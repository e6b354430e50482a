"""What the contract's requests bring."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from app.core.errors import InvalidInput
from app.core.numbers import LARGEST_LONG
from app.interactions.contents import LONGEST_TEXT, MOST_CONTENTS
from app.kinds.agent_session.model.agent import LONGEST_DESCRIPTION, LONGEST_NAME
from app.kinds.agent_session.model.session import LONGEST_SECRET
from app.rest.bodies import ABSENT, APART, Body, Faults, Listed, Needed, Path, Ruled, Told, Within, told

_NO_INPUTS = "messages has to be a list of inputs."
_NO_CONTENT = "An input has a content."


def _structure(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise told("{name} has to be a JSON object.")
    return value


def _nothing(value: Any) -> Any:
    if value:
        raise told("{name} is not supported here.")
    return value


def _input(value: Any) -> Any:
    if not isinstance(value, dict) or value.get("type", "text") != "text":
        raise told("An input is of type text.")
    return value


def _some(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        raise told(_NO_INPUTS)
    return value


def _no_input(path: Path) -> InvalidInput:
    if len(path) == 1:
        return InvalidInput(_NO_INPUTS, path=path)
    return InvalidInput(_NO_CONTENT, path=path)


_Key = Annotated[str, Within(1, 50, "^[0-9a-zA-Z_-]+$")]
_Name = Annotated[str, Within(1, LONGEST_NAME)]
_Text = Annotated[str, Within(most=LONGEST_DESCRIPTION)]
_Content = Annotated[str, Within(1, LONGEST_TEXT)]
_Object = dict[str, Any]
_Structure = Annotated[Any, PlainValidator(_structure), WithJsonSchema({"type": ["object", "array"]})]
_Streamed = Annotated[Any, PlainValidator(_nothing), WithJsonSchema({"const": False})]
_Secret = Annotated[str, Within(1, LONGEST_SECRET)]


_WORDS = MappingProxyType({"dict_type": "{name} has to be a JSON object.", "string_type": "{name} has to be text."})


class _Body(Body):
    faults = Faults(_WORDS)


class AgentFields(_Body):
    """What to set of an agent."""

    name: Ruled[_Name] = ABSENT
    description: Ruled[_Text | None] = None
    metadata: _Object | None = None
    model: _Object | None = None
    first_step: _Object | None = None
    compaction: _Object | None = None
    tool_configurations: _Structure | None = None
    steps: _Structure | None = None
    skills: _Structure | None = None
    first_step_name: Ruled[_Name | None] = None
    enabled: Ruled[bool | None] = None


class AgentReplacement(AgentFields, json_schema_extra={"required": ["name"]}):
    """An agent as it is to be."""

    def whole(self) -> Any:
        """What is not given is as in a new agent; a name there has to be."""
        return {**dict.fromkeys(type(self).model_fields), **self.given()}


class NewAgent(AgentFields, json_schema_extra={"required": ["name"]}):
    """A new agent."""

    key: _Key | None = APART


class SessionFields(_Body):
    """What to set of a session."""

    name: Ruled[_Name] = ABSENT
    description: Ruled[_Text | None] = None
    metadata: _Object | None = None
    enabled: Ruled[bool] = ABSENT
    tti_minutes: Ruled[Annotated[int, Within(0, LARGEST_LONG)]] = ABSENT
    secrets: Ruled[
        Annotated[
            dict[str, _Secret | None] | None,
            Field(description="Merged into those there are; null removes one. No value is kept."),
        ]
    ] = None


class _Copied(_Body):
    from_session: SkipJsonSchema[Annotated[Any, PlainValidator(_nothing)]] = APART


class NewSession(SessionFields, _Copied):
    """A new session."""

    key: _Key | None = APART


class NewInput(_Body):
    """What the customer says, in one part of a message."""

    type: Ruled[Literal["text"]] = "text"
    content: Annotated[_Content, Told(_NO_CONTENT)]


class NewEvent(_Body):
    """Which sort of event a request brings; each sort is read by a model of its own."""

    stream_response: _Streamed = None
    type: Annotated[Literal["input_message", "agent_output"], Told("type is input_message or agent_output.")] = (
        "input_message"
    )


class NewInputMessage(_Body):
    """What the customer says."""

    type: Literal["input_message"] = "input_message"
    messages: Annotated[
        Listed[Annotated[NewInput, BeforeValidator(_input)]], BeforeValidator(_some), Within(1, MOST_CONTENTS)
    ]
    stream_response: _Streamed = None

    faults = Faults(_WORDS, MappingProxyType({"missing": _no_input}))

    @property
    def contents(self) -> Sequence[Mapping[str, Any]]:
        """What messages of every kind hold."""
        return [{"type": "text", "content": each.content} for each in self.messages]


class NewAgentOutput(_Body):
    """What is answered in the agent's name."""

    type: Literal["agent_output"]
    content: Needed[_Content]

    faults = Faults(MappingProxyType({**_WORDS, "missing": "An output has a content."}))

    @property
    def contents(self) -> Sequence[Mapping[str, Any]]:
        """What messages of every kind hold."""
        return [{"type": "text", "content": self.content}]


class TokenRequest(Body, json_schema_extra={"required": ["client_id", "client_secret"]}):
    """A client's credentials."""

    grant_type: Ruled[Literal["client_credentials"]] = "client_credentials"
    client_id: Ruled[Annotated[str, Field(description="The API key's prefix.")]] = ABSENT
    client_secret: Ruled[Annotated[str, Field(description="The API key, or what follows its prefix.")]] = ABSENT
