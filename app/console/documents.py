"""The GraphQL documents that the console sends, read from its module."""

import re
from collections.abc import Mapping

from app.console.pages import STATIC

_MODULE = STATIC / "graph" / "documents.js"
_CONSTANT = re.compile(r"^(?:export )?const (\w+) = `([^`]*)`;$", re.MULTILINE)
_PLACE = re.compile(r"\$\{(\w+)\}")
_OPERATION = re.compile(r"(query|mutation|subscription)\b|\{")


def documents() -> Mapping[str, str]:
    """Each document by the name of its constant, byte for byte as a browser makes it."""
    found: dict[str, str] = {}
    for name, template in _CONSTANT.findall(_MODULE.read_text(encoding="utf-8")):
        found[name] = _PLACE.sub(lambda place: found[place[1]], template)
    return {name: text for name, text in found.items() if _OPERATION.match(text)}
