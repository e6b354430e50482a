"""The settings of AgentSessions."""

from collections.abc import Mapping
from typing import Annotated

import orjson
from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from app.settings import KindSettings


class AgentSessionSettings(KindSettings):
    """The settings of AgentSessions only."""

    escalation: Annotated[Mapping[str, tuple[str, ...] | None], NoDecode] = Field(
        default={"resolution_status": ("escalated",), "priority": ("urgent",), "escalation_level": None},
        description="When an AgentSession needs a human: a JSON object of metadata keys, each with the list of values "
        "that escalate, or null for any value. `.venv/bin/python -m app recompute` applies a changed one to what is "
        "stored.",
    )

    @field_validator("escalation", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        return orjson.loads(value) if isinstance(value, str) else value
