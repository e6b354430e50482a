"""What the contract's requests bring."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from app.directory.model.customer import MOST_TAGS
from app.interactions.contents import LONGEST_TEXT
from app.interactions.messages import MessageAuthor
from app.kinds.session.model import (
    LARGEST_LIST,
    LONGEST_CONTENT,
    LONGEST_REMOTE_ID,
    LONGEST_TAG,
    SessionChanges,
    Suggestion,
)
from app.rest.bodies import ABSENT, Body, Faults, Listed, Moment, Needed, Path, Ruled, Told, Within
from app.rest.errors import BadRequest


def missing(name: str) -> BadRequest:
    """The refusal of a request without a parameter that it needs."""
    return BadRequest(422, f"param is missing or the value is empty: {name}", code="PARAMETER_MISSING")


def _missing(path: Path) -> BadRequest:
    return missing(".".join(map(str, path)))


_Text = Annotated[Literal["text"], Told("{name} is text.")]
_Names = Annotated[Listed[Annotated[str, Within(1, LONGEST_TAG)]], Within(most=LARGEST_LIST)]

_AUTHORS = {
    "end-user": MessageAuthor.CUSTOMER,
    "agent": MessageAuthor.USER,
    "bot": MessageAuthor.BOT,
    # What the bot's messages were called before they were called that.
    "init": MessageAuthor.BOT,
}
_Role = Annotated[Literal["end-user", "agent", "bot", "init"], Told(f"sender_role is one of {', '.join(_AUTHORS)}.")]


class _Body(Body):
    faults = Faults(
        MappingProxyType(
            {
                "bool_type": "This takes true or false.",
                "list_type": "This takes an array.",
                "model_type": "This takes a suggested message.",
                "string_type": "This takes text.",
            }
        ),
        MappingProxyType({"missing": _missing}),
        gives_way=MappingProxyType({"content": "content_type"}),
    )


class NewSuggestion(_Body):
    """A message to suggest; `id` is the caller's own id of it."""

    id: Annotated[str, Within(1, LONGEST_REMOTE_ID)] | None = None
    content: Needed[Annotated[str, Within(1, LONGEST_CONTENT)]]
    content_type: _Text = "text"


class SessionUpdate(_Body):
    """What to change: an absent member stays; null and an empty array clear a list."""

    need_attention: bool = ABSENT
    tags: _Names | None = None
    topics: _Names | None = None
    suggested_messages: Annotated[Listed[NewSuggestion], Within(most=LARGEST_LIST)] | None = None

    def changes(self) -> SessionChanges:
        """The changes of an update; what is absent stays."""
        found: SessionChanges = self.given()
        if self.suggested_messages is not None:
            found["suggested_messages"] = [
                Suggestion(remote_id=each.id, content=each.content) for each in self.suggested_messages
            ]
        return found


class NewMessage(_Body):
    """A message of the customer (`end-user`), of a user or of the bot."""

    content: Needed[Annotated[str, Within(1, LONGEST_TEXT)]]
    content_type: _Text = "text"
    sender_role: _Role = "agent"
    sent_at: Moment | None = None

    @property
    def contents(self) -> Mapping[str, Any]:
        """The content, as messages of every kind hold it."""
        return {"type": "text", "content": self.content}

    @property
    def author(self) -> MessageAuthor:
        """Who wrote it."""
        return _AUTHORS[self.sender_role]


class CustomerChanges(_Body):
    """What to set of a customer: an absent member stays, null clears it."""

    phone_number: Ruled[str | None] = None
    unconfirmed_phone_number: Ruled[str | None] = None
    country_code: Ruled[str | None] = None
    email: Ruled[str | None] = None
    first_name: Ruled[str | None] = None
    last_name: Ruled[str | None] = None
    time_zone: Ruled[str | None] = None
    tags: Ruled[Annotated[list[str], Within(most=MOST_TAGS)] | None] = None
    shipping_rate: Ruled[Annotated[int, Field(ge=0)] | None] = None
    billing_address: Ruled[dict[str, Any] | None] = None
    shipping_address: Ruled[dict[str, Any] | None] = None
    card: Ruled[dict[str, Any] | None] = None
