"""What the contract's request bodies may hold, checked by type alone; the rules are the services'."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import InvalidInput
from app.rest.call import picked

SESSION_FIELDS = ("name", "description", "metadata", "enabled", "tti_minutes", "secrets")
_OBJECTS = ("metadata", "model", "first_step", "compaction")
_STRUCTURES = ("tool_configurations", "steps", "skills")
AGENT_FIELDS = ("name", "description", *_OBJECTS, *_STRUCTURES, "first_step_name", "enabled")


def fields(body: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Those of the fields that the body has. Raises InvalidInput for JSON text in place of JSON."""
    found = picked(body, names)
    for name in (*_OBJECTS, *_STRUCTURES):
        wanted = dict | list if name in _STRUCTURES else dict
        if found.get(name) is not None and not isinstance(found[name], wanted):
            raise InvalidInput(f"{name} has to be a JSON object.", path=(name,))
    return found


def text(body: Mapping[str, Any], name: str) -> str | None:
    """A text; None when it is absent or null. Raises InvalidInput."""
    found = body.get(name)
    if found is not None and not isinstance(found, str):
        raise InvalidInput(f"{name} has to be text.", path=(name,))
    return found


def unsupported(body: Mapping[str, Any], *names: str) -> None:
    """Raises InvalidInput for a field that asks for what we do not do."""
    for name in names:
        if body.get(name):
            raise InvalidInput(f"{name} is not supported here.", path=(name,))
