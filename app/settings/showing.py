"""Settings as shown to people: values without secrets, and sources."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, get_args

import orjson
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.core.durations import written_duration
from app.settings.kinds import PREFIX
from app.settings.model import Settings

_PLACE = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+]*)://(?:[^\s/?#@]*@)?(?P<place>(?:[\w.-]+|\[[0-9a-f:.]+\])?(?::\d+)?(?:/[\w./-]*)?)(?:[?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)


class SettingSource(Enum):
    """Where the value of a setting comes from."""

    DEFAULT = "DEFAULT"
    ENVIRONMENT = "ENVIRONMENT"
    OPTION = "OPTION"


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting. `value` is spelled as one would set it; None when it is unset or a secret."""

    name: str
    value: str | None
    is_secret: bool
    is_set: bool
    source: SettingSource
    description: str


def shown_settings(settings: Settings) -> Iterator[ShownSetting]:
    """Every setting in the order of their list, without secrets, and without the password and query of addresses."""
    for model in (settings, *settings.of_kinds):
        for name, field in type(model).model_fields.items():
            value = getattr(model, name)
            secret = _is_secret(field.annotation)
            source = SettingSource.ENVIRONMENT if name in model.model_fields_set else SettingSource.DEFAULT
            yield ShownSetting(
                name=f"{PREFIX}{name.upper()}",
                value=None if secret or value in (None, ()) else _written(value, field),
                is_secret=secret,
                is_set=value not in (None, ()),
                source=SettingSource.OPTION if name in settings.options else source,
                description=field.description or "",
            )


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


def _written(value: Any, field: FieldInfo) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return written_duration(value)
        case Mapping():
            return orjson.dumps(value, default=_part).decode()
        case tuple() if any(isinstance(each, BaseModel) for each in value):
            return orjson.dumps([each.model_dump(mode="json", exclude_unset=True) for each in value]).decode()
        case tuple() if not field.repr:
            return ",".join(map(without_secrets, value))
        case tuple():
            return ",".join(map(str, value))
        case str() if "://" in value:
            return value if not field.repr and value.startswith("sqlite:") else without_secrets(value)
        case _:
            return str(value)


def _part(value: object) -> str:
    """A value that JSON has no form for, spelled as one would set it."""
    return written_duration(value) if isinstance(value, timedelta) else str(value)


def without_secrets(address: str) -> str:
    """An address without user, password and query. Only its scheme when its parts cannot be told apart safely."""
    found = _PLACE.fullmatch(address)
    return f"{address.partition('://')[0]}://…" if found is None else f"{found['scheme']}://{found['place']}"
