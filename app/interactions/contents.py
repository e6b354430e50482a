"""The seven types of message content: validation and stored form."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.core.errors import InvalidInput, TooLong
from app.directory.model.checks import Check, Path, birthday, flag, line, optional, text, whole

LONGEST_TEXT = 65_536
"""Characters of a text or caption. No contract names a limit; this one keeps a message within one page of a list."""

MOST_CONTENTS = 32
_MOST_ENTRIES = 32
LONGEST_LINE = 1_024
LONGEST_URL = 4_096
LARGEST_FILE = 2**53 - 1
_DEGREES = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)


class ContentType(StrEnum):
    """The type of a content, the discriminator `type` of stored objects."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    LOCATION = "location"
    CONTACT = "contact"


def checked_contents(
    contents: Sequence[Mapping[str, Any]], new_uuid: Callable[[], str], *, path: Path = ("contents",)
) -> tuple[Mapping[str, object], ...]:
    """One or several contents as they are stored: every field of its type present, `type` first.

    Each is a mapping with `type` and the fields of that type in snake_case; a file without a `uuid` gets a new one.
    Raises InvalidInput or TooLong with the path `contents, index, type, field`."""
    if not contents:
        raise InvalidInput("A message needs a content.", path=path)
    if len(contents) > MOST_CONTENTS:
        raise TooLong(f"A message has at most {MOST_CONTENTS} contents, not {len(contents)}.", path=path)
    return tuple(checked_content(content, new_uuid, path=(*path, place)) for place, content in enumerate(contents))


def checked_content(
    content: Mapping[str, Any], new_uuid: Callable[[], str], *, path: Path = ("content",)
) -> Mapping[str, object]:
    """One content as it is stored; see `checked_contents`."""
    given = dict(content)
    name = given.pop("type", None)
    try:
        kind = ContentType(name)
    except ValueError:
        raise InvalidInput(f"A content is one of {', '.join(ContentType)}.", path=(*path, "type")) from None
    inside = (*path, kind.value)
    found: dict[str, object] = {"type": kind.value}
    if kind in _FILES:
        given.pop("has_file", None)
        found["has_file"] = True
        found["uuid"] = _file_uuid(given, new_uuid, inside)
    found.update(_object(_FIELDS[kind])(given, inside))
    return found


def text_content(said: str) -> tuple[Mapping[str, object], ...]:
    """A message of plain text, as it is stored."""
    return ({"type": ContentType.TEXT.value, "content": text(LONGEST_TEXT, blank=False)(said, ("content",))},)


def plain_text(contents: Sequence[Mapping[str, object]]) -> str | None:
    """The texts and captions of a message, one per line; None when it has none."""
    said = [str(found) for content in contents for key in ("content", "caption") if (found := content.get(key))]
    return "\n".join(said) or None


def require_emoji(value: str, *, path: Path = ("reaction",)) -> str:
    """The value if it is a single emoji. Raises InvalidInput."""
    if len(value) > LONGEST_EMOJI or _EMOJI.fullmatch(value) is None:
        raise InvalidInput("A reaction is a single emoji.", path=path)
    return value


def _object(fields: Mapping[str, tuple[Check, bool]]) -> Check:
    """Check an object that has exactly these fields; an absent optional field becomes null."""

    def check(value: Any, path: Path) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise InvalidInput("This takes an object.", path=path)
        for name in value:
            if name not in fields:
                raise InvalidInput("There is no such field.", path=(*path, str(name)))
        found = {}
        for name, (of, required) in fields.items():
            if required and value.get(name) is None:
                raise InvalidInput("This is required.", path=(*path, name))
            found[name] = of(value.get(name), (*path, name))
        return found

    return check


def _required(check: Check) -> tuple[Check, bool]:
    return check, True


def _optional(check: Check) -> tuple[Check, bool]:
    return optional(check), False


def _entries(item: Check) -> tuple[Check, bool]:
    def check(value: Any, path: Path) -> list[object]:
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise InvalidInput("This takes a list.", path=path)
        if len(value) > _MOST_ENTRIES:
            raise TooLong(f"This takes at most {_MOST_ENTRIES} entries, not {len(value)}.", path=path)
        return [item(one, (*path, place)) for place, one in enumerate(value)]

    return check, False


def _default(check: Check, value: object) -> tuple[Check, bool]:
    return lambda given, path: value if given is None else check(given, path), False


def _degrees(most: int) -> Check:
    """A decimal number as the string it was given as; the contract's coordinates are strings."""
    short = line(32, blank=False)

    def check(value: Any, path: Path) -> str:
        found: str = short(value, path)
        if _DEGREES.fullmatch(found) is None or abs(float(found)) > most:
            raise InvalidInput(f"This takes decimal degrees from -{most} to {most}, as text.", path=path)
        return found

    return check


def _day(value: Any, path: Path) -> str:
    return birthday(value, path).isoformat()


def _file_uuid(given: dict[str, Any], new_uuid: Callable[[], str], path: Path) -> str:
    known = given.pop("uuid", None)
    if known is not None:
        found: str = line(64, blank=False)(known, (*path, "uuid"))
        return found
    if given.get("download_url") is None and given.get("public_download_url") is None:
        raise InvalidInput("A file needs its uuid or a URL to get it from.", path=(*path, "uuid"))
    return new_uuid()


_LINE = line(LONGEST_LINE)
_URL = line(LONGEST_URL, blank=False)
_CAPTION = _optional(text(LONGEST_TEXT))
_FILE: Mapping[str, tuple[Check, bool]] = {
    "name": _optional(_LINE),
    "mime_type": _required(line(255, blank=False)),
    "size": _optional(whole(0, LARGEST_FILE)),
    "download_url": _optional(_URL),
    "public_download_url": _optional(_URL),
}
_NAME: Mapping[str, tuple[Check, bool]] = {
    "formatted_name": _required(line(LONGEST_LINE, blank=False)),
    **{part: _optional(_LINE) for part in ("first_name", "middle_name", "last_name", "prefix", "suffix")},
}
_ADDRESS = {part: _optional(_LINE) for part in ("street", "city", "state", "zip", "country", "country_code", "type")}
_FILES = frozenset({ContentType.IMAGE, ContentType.VIDEO, ContentType.AUDIO, ContentType.DOCUMENT})
_FIELDS: Mapping[ContentType, Mapping[str, tuple[Check, bool]]] = MappingProxyType(
    {
        ContentType.TEXT: {"content": _required(text(LONGEST_TEXT, blank=False))},
        ContentType.IMAGE: {**_FILE, "caption": _CAPTION},
        ContentType.VIDEO: {**_FILE, "caption": _CAPTION},
        ContentType.AUDIO: {**_FILE, "voice": _default(flag, False)},
        ContentType.DOCUMENT: {**_FILE, "filename": _optional(_LINE), "caption": _CAPTION},
        ContentType.LOCATION: {
            "latitude": _required(_degrees(90)),
            "longitude": _required(_degrees(180)),
            "address": _optional(_LINE),
            "name": _optional(_LINE),
            "url": _optional(_URL),
        },
        ContentType.CONTACT: {
            "name": _required(_object(_NAME)),
            "birthday": _optional(_day),
            "phones": _entries(_object({"phone": _required(_LINE), "type": _optional(_LINE)})),
            "emails": _entries(_object({"email": _required(_LINE), "type": _optional(_LINE)})),
            "addresses": _entries(_object(_ADDRESS)),
            "org": _optional(_object({part: _optional(_LINE) for part in ("company", "department", "title")})),
        },
    }
)

# What a reader sees as one emoji: a picture with its variation and skin tone, several joined by ZWJ, a flag of two
# letters or of tags, a keycap. Pictures are taken by block, so that those of future versions of Unicode count too.
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f004-\U0001f1e5\U0001f200-\U0001faff]"
)
_ELEMENT = f"{_PICTURE}\ufe0f?[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI = re.compile(f"{_ELEMENT}(?:\u200d{_ELEMENT})*|[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3")
LONGEST_EMOJI = 32
