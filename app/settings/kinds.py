"""Settings that a kind of interaction declares for itself."""

from functools import cache
from typing import TypeVar

from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SWITCHBOARD_"


class KindSettings(BaseSettings):
    """The settings of one kind. They are set like all others: by `SWITCHBOARD_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)


K = TypeVar("K", bound=KindSettings)


@cache
def defaults(kind: type[K]) -> K:
    """The kind's default settings, whatever the environment contains."""
    return kind.model_construct()
