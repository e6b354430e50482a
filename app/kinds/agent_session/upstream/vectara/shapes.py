"""The platform's answers, as far as they are used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field

from app.connections.shapes import Shape, read_shape
from app.core import json_text
from app.interactions.contents import LONGEST_TEXT
from app.interactions.messages import MessageAuthor
from app.interactions.remote import Answered, Unanswered
from app.kinds.agent_session.model import Status
from app.kinds.agent_session.model.agent import LONGEST_DESCRIPTION, LONGEST_NAME
from app.rest.bodies import Moment

EVENT_PREFIX = "aev_"
"""The prefix of the platform's event ids; ours are stored without it."""

INPUT = "input_message"
_AUTHORS: Mapping[str, MessageAuthor] = MappingProxyType(
    {
        INPUT: MessageAuthor.CUSTOMER,
        "agent_output": MessageAuthor.AI_AGENT,
        "structured_output": MessageAuthor.AI_AGENT,
    }
)
"""The events that are messages. All others are the agent's internal work."""

Key = Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]{1,50}$")]
_Word = Annotated[str, Field(max_length=64)]


class Session(Shape):
    """A session."""

    key: Key
    agent_key: Key
    name: str
    description: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    enabled: bool
    tti_minutes: Annotated[int, Field(ge=0, lt=2**63)] = 0
    created_at: Moment
    current_step_name: str | None = None
    session_context_usage: dict[str, Any] | None = None
    effective_compaction: dict[str, Any] | None = None
    status: _Word | None = None
    created_by_agent_key: str | None = None
    created_by_session_key: str | None = None
    alias_key: str | None = None
    secrets: dict[str, Any] = Field(default_factory=dict)

    @property
    def stored_name(self) -> str:
        """Its name in one line, or its key when it has no name."""
        return " ".join(self.name.split())[:LONGEST_NAME] or self.key

    @property
    def stored_description(self) -> str | None:
        return None if self.description is None else self.description[:LONGEST_DESCRIPTION]

    @property
    def stored_status(self) -> Status:
        found = (self.status or "").upper()
        return Status(found) if found in Status.__members__ else Status.STOPPED


class Agent(Shape):
    """An agent."""

    key: Key
    name: str | None = None


class Trace(Shape):
    """One run of an agent."""

    trace_id: str
    agent_key: Key | None = None
    session_key: Key | None = None
    started_at: Moment
    duration_ms: int | None = None


class Event(Shape):
    """An event of a session."""

    id: Annotated[str, Field(pattern=r"^aev_[0-9a-zA-Z_-]{1,250}$")]
    created_at: Moment
    type: _Word
    messages: list[dict[str, Any]] = Field(default_factory=list)
    content: Any = None

    @property
    def key(self) -> str:
        """Its key here."""
        return self.id.removeprefix(EVENT_PREFIX)

    @property
    def author(self) -> MessageAuthor | None:
        """Who said it; None when it is not a message."""
        return _AUTHORS.get(self.type)

    @property
    def texts(self) -> Sequence[str]:
        """What was said, each part cut to what a message may hold; never empty."""
        if self.type == INPUT:
            said = [str(each.get("content") or each.get("skill_name") or "") for each in self.messages]
        elif isinstance(self.content, str):
            said = [self.content]
        else:
            said = [json_text.write(self.content)]
        return [each[:LONGEST_TEXT] for each in said if each.strip()] or ["(empty)"]


class Page(Shape):
    """A page of a list, and the cursor of the next one."""

    items: list[dict[str, Any]]
    after: str | None


def read_page(value: Any, name: str) -> Page:
    """The page whose items have this name. Raises Unanswered for an invalid page."""
    items = value.get(name) if isinstance(value, dict) else None
    more = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise Unanswered(f"The other system answered no list of {name}.", arrived=True)
    after = more.get("page_key") if isinstance(more, dict) else None
    return Page(items=items, after=after if isinstance(after, str) and after and items else None)


def read_session(value: Any) -> Session:
    """The session. Raises Unanswered for an invalid one."""
    return read_shape(Session, value, "session")


def read_trace(value: Any) -> Trace:
    """The run of an agent. Raises Unanswered for an invalid one."""
    return read_shape(Trace, value, "trace")


def read_event(value: Any) -> Event:
    """The event. Raises Unanswered for an invalid one."""
    return read_shape(Event, value, "event")


def read_agent(value: Any) -> Agent:
    """The agent. Raises Unanswered for an invalid one."""
    return read_shape(Agent, value, "agent")


def exact(answered: Answered) -> Any:
    """The answer, with numbers as they were written. Raises Unanswered when it is not JSON."""
    try:
        return json_text.parse(answered.content)
    except (ValueError, RecursionError):
        raise Unanswered("The other system answered what is no JSON.", arrived=True) from None


def written(moment: datetime) -> str:
    """A time as the platform takes it."""
    return moment.isoformat().replace("+00:00", "Z")
