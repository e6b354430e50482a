"""An AiAgent: the software agent of AgentSessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypedDict

from app.directory.model.checks import Check, flag, line, matching, optional, text
from app.kinds.agent_session.model.metadata import json_object, json_structure, optional_json_object

KEY_PATTERN = "[0-9a-zA-Z_-]{1,50}"
LONGEST_NAME = 255
LONGEST_DESCRIPTION = 10_000

key: Check = matching(KEY_PATTERN, "A key has 1 to 50 letters, digits, underscores and hyphens.", 50)


def enabled(value: Any, path: tuple[str | int, ...]) -> bool:
    """True or false; None is the default, true."""
    return True if value is None else flag(value, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class AiAgent:
    """An agent with every field of its contract. Values that the contract leaves open are stored as JSON text, as
    given.

    `connection_id` is the connection whose system has the agent; None for one of Switchboard's own."""

    id: int
    agent_key: str
    name: str
    description: str | None = None
    metadata: str = "{}"
    tool_configurations: str = "{}"
    model: str = "{}"
    first_step: str = "{}"
    first_step_name: str | None = None
    steps: str = "{}"
    skills: str = "{}"
    compaction: str | None = None
    enabled: bool = True
    connection_id: int | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1


class AiAgentChanges(TypedDict, total=False):
    """The fields of an update. An absent key leaves the field unchanged. None clears it, and for `enabled` means
    true."""

    name: str
    description: str | None
    metadata: Any
    tool_configurations: Any
    model: Any
    first_step: Any
    first_step_name: str | None
    steps: Any
    skills: Any
    compaction: Any
    enabled: bool | None


AGENT_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(LONGEST_NAME, blank=False),
        "description": optional(text(LONGEST_DESCRIPTION)),
        "metadata": json_object,
        "tool_configurations": json_structure,
        "model": json_object,
        "first_step": json_object,
        "first_step_name": optional(line(LONGEST_NAME, blank=False)),
        "steps": json_structure,
        "skills": json_structure,
        "compaction": optional_json_object,
        "enabled": enabled,
    }
)
