"""The suggested messages of a Session, and the rules of their list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.errors import InvalidInput, TooLong

LARGEST_LIST = 100
LONGEST_REMOTE_ID = 255
LONGEST_CONTENT = 10_000


class ContentType(StrEnum):
    """The content of a suggested message; the contract only knows text."""

    TEXT = "TEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A suggested message as the caller gives it. `remote_id` is the caller's own id of it."""

    remote_id: str | None
    content: str
    content_type: ContentType = ContentType.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedMessage:
    """A text offered to users of the Session. `selected_count` says how often a user picked it."""

    id: int | None = None
    suggestion_key: str
    remote_id: str | None
    content: str
    content_type: ContentType
    selected_count: int = 0


def replaced_suggestions(
    before: Sequence[SuggestedMessage], wanted: Sequence[Suggestion], new_key: Callable[[], str]
) -> tuple[SuggestedMessage, ...]:
    """The whole list as wanted. A message whose remote id was already in the list keeps its key and its count.

    Raises InvalidInput or TooLong with the path in an update's changes."""
    name = "suggested_messages"
    if len(wanted) > LARGEST_LIST:
        raise TooLong(f"There can be at most {LARGEST_LIST} suggested messages.", path=(name,))
    known = {suggestion.remote_id: suggestion for suggestion in before if suggestion.remote_id is not None}
    seen: set[str] = set()
    after = []
    for index, item in enumerate(wanted):
        if not item.content.strip():
            raise InvalidInput("A suggested message cannot be empty.", path=(name, index, "content"))
        if len(item.content) > LONGEST_CONTENT:
            raise TooLong(
                f"A suggested message can have at most {LONGEST_CONTENT} characters.", path=(name, index, "content")
            )
        if item.remote_id is not None:
            path = (name, index, "remote_id")
            if not item.remote_id.strip():
                raise InvalidInput("A remote id cannot be empty.", path=path)
            if len(item.remote_id) > LONGEST_REMOTE_ID:
                raise TooLong(f"A remote id can have at most {LONGEST_REMOTE_ID} characters.", path=path)
            if item.remote_id in seen:
                raise InvalidInput("Two suggested messages have this remote id.", path=path)
            seen.add(item.remote_id)
        same = known.get(item.remote_id) if item.remote_id is not None else None
        if same is not None:
            after.append(replace(same, content=item.content, content_type=item.content_type))
        else:
            after.append(
                SuggestedMessage(
                    suggestion_key=new_key(),
                    remote_id=item.remote_id,
                    content=item.content,
                    content_type=item.content_type,
                )
            )
    return tuple(after)
