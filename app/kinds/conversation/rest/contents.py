"""What messages hold: what is read of it, its wire shape, and what a request to send brings."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from app.core.errors import InvalidInput
from app.interactions.contents import ContentType
from app.rest import leaf, one
from app.rest.call import picked
from app.selection.tree import Field

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00:00(?:\.0{1,6})?Z)?", re.ASCII)
_SUFFIX = "MessageContent"
_FILE = ("has_file", "uuid", "name", "mime_type", "size", "download_url", "public_download_url")
_NAME = ("formatted_name", "first_name", "middle_name", "last_name", "prefix", "suffix")
_PHONE = ("phone", "type")
_EMAIL = ("email", "type")
_ADDRESS = ("street", "city", "state", "zip", "country", "country_code", "type")
_ORG = ("company", "department", "title")
_LOCATION = ("latitude", "longitude", "address", "name", "url")

# What may be missing without being declared nullable is left out.
_LEFT_OUT = frozenset({"size", "download_url", "public_download_url", "org"})
_LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"phones": _PHONE, "emails": _EMAIL, "addresses": _ADDRESS})
_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"name": _NAME, "org": _ORG})

_SENT = MappingProxyType(
    {
        ContentType.TEXT: ("content",),
        ContentType.IMAGE: ("caption",),
        ContentType.VIDEO: ("caption",),
        ContentType.AUDIO: ("voice",),
        ContentType.DOCUMENT: ("filename", "caption"),
        ContentType.LOCATION: _LOCATION,
        ContentType.CONTACT: ("name", "birthday", *_LISTS, "org"),
    }
)
_KINDS: Mapping[str, ContentType] = {each.value: each for each in ContentType}
_WITH_FILE = frozenset({ContentType.IMAGE, ContentType.VIDEO, ContentType.AUDIO, ContentType.DOCUMENT})
_FILE_SENT = MappingProxyType(
    {"internal_uuid": "uuid", "mime_type": "mime_type", "size": "size", "url": "public_download_url"}
)


def _leaf(name: str) -> Field:
    head, *rest = name.split("_")
    return leaf(head + "".join(map(str.capitalize, rest)), name)


def _leaves(*names: str) -> tuple[Field, ...]:
    return tuple(map(_leaf, names))


_TYPE = leaf("__typename", "type")
CONTENTS = Field(
    "contents",
    "contents",
    children={
        f"Text{_SUFFIX}": (_TYPE, *_leaves("content")),
        f"Image{_SUFFIX}": (_TYPE, *_leaves(*_FILE, "caption")),
        f"Video{_SUFFIX}": (_TYPE, *_leaves(*_FILE, "caption")),
        f"Audio{_SUFFIX}": (_TYPE, *_leaves(*_FILE, "voice")),
        f"Document{_SUFFIX}": (_TYPE, *_leaves(*_FILE, "filename", "caption")),
        f"Location{_SUFFIX}": (_TYPE, *_leaves(*_LOCATION)),
        f"Contact{_SUFFIX}": (
            _TYPE,
            one("name", "ContactName", _leaves(*_NAME)),
            _leaf("birthday"),
            one("phones", "ContactPhone", _leaves(*_PHONE)),
            one("emails", "ContactEmail", _leaves(*_EMAIL)),
            one("addresses", "ContactAddress", _leaves(*_ADDRESS)),
            one("org", "ContactOrganization", _leaves(*_ORG)),
        ),
    },
)
"""The contents of a message by the names that the contract gives them."""


def content(found: Mapping[str, Any]) -> dict[str, object]:
    """One content."""
    shown = {name: value for name, value in found.items() if not (value is None and name in _LEFT_OUT)}
    shown["type"] = found["type"].removesuffix(_SUFFIX).lower()
    for name in _LISTS:
        if name in shown:
            shown[name] = [_said(entry) for entry in shown[name]]
    if "org" in shown:
        shown["org"] = _said(shown["org"])
    return shown


def sent_content(body: Mapping[str, Any]) -> dict[str, Any]:
    """The content that a request brings, without what no content has. Raises InvalidInput."""
    kind = _KINDS.get(body["type"]) if isinstance(body.get("type"), str) else None
    if kind is None:
        raise InvalidInput(f"The type is one of {', '.join(_KINDS)}.", path=("type",))
    with_file = kind in _WITH_FILE
    given = _object(body, kind.value, required=not with_file)
    found = {"type": kind.value, **picked(given, _SENT[kind])}
    if with_file:
        file = _object(body, "file", required=True)
        found |= {kept: file[name] for name, kept in _FILE_SENT.items() if name in file}
    if kind is ContentType.CONTACT:
        _known_only(found)
    return found


def _known_only(contact: dict[str, Any]) -> None:
    """Leave out of a contact's parts what they do not have; what is no object at all is the service's to refuse."""
    for name, fields in _PARTS.items():
        if isinstance(contact.get(name), dict):
            contact[name] = picked(contact[name], fields)
    for name, fields in _LISTS.items():
        if isinstance(contact.get(name), list):
            contact[name] = [picked(each, fields) if isinstance(each, dict) else each for each in contact[name]]
    if contact.get("birthday") is not None:
        contact["birthday"] = _day(contact["birthday"])


def _day(value: object) -> date:
    """A day, or the midnight that it begins with, which is how the contract's own example writes it."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is not None:
            return date.fromisoformat(match[1])
    except ValueError:
        pass
    raise InvalidInput("This takes a day, such as 1970-01-01.", path=("contact", "birthday"))


def _object(body: Mapping[str, Any], name: str, *, required: bool) -> Mapping[str, Any]:
    found = body.get(name)
    if found is None and not required:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput("This takes an object.", path=(name,))
    return found


def _said(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def contents(found: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """All contents of a message."""
    return [content(each) for each in found]
