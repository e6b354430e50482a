"""What the contract answers, as its clients see it."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Key = Annotated[str, Field(min_length=1, max_length=50, pattern="^[0-9a-zA-Z_-]+$")]
EventId = Annotated[str, Field(pattern="^aev_[0-9a-zA-Z_-]+$")]
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$",
        description="UTC, with the digits after the second where they are not all 0.",
        json_schema_extra={"format": "date-time"},
    ),
]
Structure = dict[str, Any] | list[Any]
Count = Annotated[int, Field(ge=0)]


class AgentSession(TypedDict):
    """An exchange of a customer with an AI agent."""

    id: Annotated[Key, Field(description="The key again, under its older name.")]
    key: Key
    agent_key: Key
    name: str
    description: str | None
    metadata: Annotated[dict[str, Any], Field(description="As it was given: order of keys and spelling of numbers.")]
    current_step_name: str | None
    enabled: bool
    tti_minutes: Count
    status: Literal["unstarted", "running", "stopped"]
    session_context_usage: NotRequired[dict[str, Any]]
    effective_compaction: NotRequired[dict[str, Any]]
    created_by_agent_key: NotRequired[str]
    created_by_session_key: NotRequired[str]
    alias_key: NotRequired[str]
    secrets: dict[str, Literal["****"]]
    created_at: Moment


class Agent(TypedDict):
    """An AI agent."""

    key: Key
    name: str
    description: str | None
    tool_configurations: Structure
    model: dict[str, Any]
    first_step: dict[str, Any]
    first_step_name: str | None
    steps: Structure
    skills: Structure
    metadata: dict[str, Any]
    enabled: bool
    compaction: NotRequired[dict[str, Any]]
    created_at: Moment
    updated_at: Moment


class Input(TypedDict):
    """What was said, in one part of a message."""

    type: Literal["text"]
    content: str


class InputMessage(TypedDict):
    """What the customer said."""

    id: EventId
    session_key: str
    created_at: Moment
    type: Literal["input_message"]
    messages: list[Input]


class AgentOutput(TypedDict):
    """What was answered, by the agent or by one of ours."""

    id: EventId
    session_key: str
    created_at: Moment
    type: Literal["agent_output"]
    content: str


Event = Annotated[InputMessage | AgentOutput, Field(discriminator="type")]


class ListMetadata(TypedDict):
    """`page_key` is there while another page may follow."""

    page_key: NotRequired[str]


class AgentPage(TypedDict):
    """A page of agents."""

    agents: list[Agent]
    metadata: ListMetadata


class SessionPage(TypedDict):
    """A page of sessions."""

    sessions: list[AgentSession]
    metadata: ListMetadata


class EventPage(TypedDict):
    """A page of events."""

    events: list[Event]
    metadata: ListMetadata


class Posted(TypedDict):
    """What was said."""

    events: list[Event]
    session_key: str


class Token(TypedDict):
    """An access token, which is sent as a key is."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Count


class TokenError(TypedDict):
    """Why there is no token."""

    error: str
    error_description: str


class Error(TypedDict):
    """Why nothing was done."""

    messages: list[str]
    request_id: str
    error_code: str


class NotFoundError(Error):
    """What is not there, or may not be seen."""

    id: NotRequired[str]


class BadRequestError(Error):
    """What is at fault."""

    field_errors: dict[str, str]
