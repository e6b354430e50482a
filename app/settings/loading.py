"""Reads the settings; nothing else reads the environment."""

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.settings.kinds import PREFIX, KindSettings
from app.settings.model import Settings

_RESERVED_FOR_TESTS = f"{PREFIX}TEST_"


class SettingsError(Exception):
    """The environment holds a setting that cannot be used. The message has one line for each."""


def declared(kinds: Sequence[type[KindSettings]]) -> dict[str, FieldInfo]:
    """Every setting by its field's name: the general ones first, then those of kinds."""
    models: Sequence[type[BaseSettings]] = (Settings, *kinds)
    return {name: field for each in models for name, field in each.model_fields.items()}


def load_settings(
    overrides: Mapping[str, object] = MappingProxyType({}), kinds: Sequence[type[KindSettings]] | None = ()
) -> Settings:
    """Read the environment. `overrides` are options of the command line by field name, which win over it. `kinds` are
    the settings that kinds declare; with None, they keep their defaults, and unknown variables that may be theirs are
    accepted.

    Raises SettingsError for an invalid value, and for a `SWITCHBOARD_` variable that is not a setting."""
    faults = [] if kinds is None else list(_unknown(kinds))
    read: list[Settings] = []
    of_kinds: list[KindSettings] = []
    try:
        read.append(Settings.model_validate(dict(overrides)))
    except ValidationError as error:
        faults.extend(_told(error, overrides))
    for each in kinds or ():
        try:
            of_kinds.append(each())
        except ValidationError as error:
            faults.extend(_told(error, overrides))
    if faults:
        raise SettingsError("\n".join(faults))
    return read[0].having(*of_kinds).with_options(overrides)


def _unknown(kinds: Sequence[type[KindSettings]]) -> Iterator[str]:
    """A line for each variable that is not a setting."""
    names = {f"{PREFIX}{name.upper()}" for name in declared(kinds)}
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and not variable.startswith(_RESERVED_FOR_TESTS) and variable not in names:
            near = get_close_matches(variable, names, n=1)
            yield f"{variable} is not a setting." + (f" Did you mean {near[0]}?" if near else "")


def _told(error: ValidationError, overrides: Mapping[str, object]) -> Iterator[str]:
    """A line for each fault, with the name of the setting."""
    for fault in error.errors(include_url=False, include_input=False):
        said = f"{fault['msg'].removeprefix('Value error, ')}."
        if not fault["loc"]:
            yield said
            continue
        name, *inside = map(str, fault["loc"])
        source = f"--{name}" if name in overrides else f"{PREFIX}{name.upper()}"
        source += f": {'.'.join(inside)}" if len(inside) > 1 else ""  # a number alone counts the parts of a list
        yield f"{source}: {said}"
