"""What messages hold: what is read of it, and its wire shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.kinds.conversation.rest import shapes
from app.rest import leaf, one
from app.selection.tree import Field

_SUFFIX = "MessageContent"

# What may be missing without being declared nullable is left out.
_LEFT_OUT = frozenset({"size", "download_url", "public_download_url", "org"})
_LISTS = ("phones", "emails", "addresses")


def _leaf(name: str) -> Field:
    head, *rest = name.split("_")
    return leaf(head + "".join(map(str.capitalize, rest)), name)


def _leaves(shape: Any) -> tuple[Field, ...]:
    """The fields that the shape has, but for its type."""
    return tuple(_leaf(name) for name in shape.__annotations__ if name != "type")


def _typed(shape: Any) -> tuple[Field, ...]:
    return (leaf("__typename", "type"), *_leaves(shape))


def _part(name: str, type_name: str, shape: Any) -> Field:
    return one(name, type_name, tuple(map(_leaf, shape.__annotations__)))


CONTENTS = Field(
    "contents",
    "contents",
    children={
        f"Text{_SUFFIX}": _typed(shapes.TextMessageContent),
        f"Image{_SUFFIX}": _typed(shapes.ImageMessageContent),
        f"Video{_SUFFIX}": _typed(shapes.VideoMessageContent),
        f"Audio{_SUFFIX}": _typed(shapes.AudioMessageContent),
        f"Document{_SUFFIX}": _typed(shapes.DocumentMessageContent),
        f"Location{_SUFFIX}": _typed(shapes.LocationMessageContent),
        f"Contact{_SUFFIX}": (
            leaf("__typename", "type"),
            _part("name", "ContactName", shapes.ContactName),
            _leaf("birthday"),
            _part("phones", "ContactPhone", shapes.ContactPhone),
            _part("emails", "ContactEmail", shapes.ContactEmail),
            _part("addresses", "ContactAddress", shapes.ContactAddress),
            _part("org", "ContactOrganization", shapes.ContactOrg),
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


def _said(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def contents(found: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """All contents of a message."""
    return [content(each) for each in found]
