"""Settings that a kind of interaction declares for itself."""

from functools import cache
from typing import TypeVar

from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SWITCHBOARD_"


class KindSettings(BaseSettings):
    """The settings of one kind. They are set as all others are: `SWITCHBOARD_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)


K = TypeVar("K", bound=KindSettings)


@cache
def defaults(kind: type[K]) -> K:
    """The kind's settings where nothing is set, whatever the environment says."""
    return kind.model_construct()
