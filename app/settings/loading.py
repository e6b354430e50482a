"""Reads the settings; the only reader of the environment."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from pydantic import ValidationError

from app.settings.model import Settings
from app.settings.server import PREFIX

_RESERVED_FOR_TESTS = f"{PREFIX}TEST_"


class SettingsError(Exception):
    """The environment holds a setting that cannot be used; the message has one line for each."""


def load_settings(overrides: Mapping[str, object] = MappingProxyType({})) -> Settings:
    """Read the environment; `overrides`, options of the command line by field name, win over it.

    Raises SettingsError for a value that does not fit and for a `SWITCHBOARD_` variable that is no setting."""
    names = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    faults = []
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and not variable.startswith(_RESERVED_FOR_TESTS) and variable not in names:
            near = get_close_matches(variable, names, n=1)
            faults.append(f"{variable} is not a setting." + (f" Did you mean {near[0]}?" if near else ""))
    try:
        settings = Settings.model_validate(dict(overrides))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            if not fault["loc"]:
                faults.append(f"{fault['msg'].removeprefix('Value error, ')}.")
                continue
            name, *inside = map(str, fault["loc"])
            source = f"--{name}" if name in overrides else f"{PREFIX}{name.upper()}"
            source += f": {'.'.join(inside)}" if len(inside) > 1 else ""  # a number alone counts the parts of a list
            faults.append(f"{source}: {fault['msg'].removeprefix('Value error, ')}.")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings
