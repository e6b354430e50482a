"""The GraphQL documents that the console sends, read from its modules."""

import re
from collections.abc import Mapping
from pathlib import Path

from app.console.pages import STATIC

_MODULES = tuple(STATIC / "graph" / name for name in ("documents.js", "administration.js", "access.js"))
_CONSTANT = re.compile(r"^(?:export )?const (\w+) = `([^`]*)`;$", re.MULTILINE)
_PLACE = re.compile(r"\$\{(\w+)\}")
_OPERATION = re.compile(r"(query|mutation|subscription)\b|\{")


def documents() -> Mapping[str, str]:
    """Each document by the name of its constant, byte for byte as a browser makes it."""
    return {name: text for module in _MODULES for name, text in _documents_of(module).items()}


def _documents_of(module: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, template in _CONSTANT.findall(module.read_text(encoding="utf-8")):
        found[name] = _PLACE.sub(lambda place: found[place[1]], template)
    return {name: text for name, text in found.items() if _OPERATION.match(text)}
