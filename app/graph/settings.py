"""The settings of the server, in the graph."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import strawberry

from app.graph.enums import described
from app.graph.fields import root
from app.graph.slice import Slice
from app.selection.mapping import Env, Read, RootSteps
from app.settings.showing import SettingSource, shown_settings
from app.storage.query import Query

described(
    SettingSource,
    "The source of a setting's value.",
    {
        "DEFAULT": "It is not set: the default.",
        "ENVIRONMENT": "An environment variable.",
        "OPTION": "An option of the command line.",
    },
)


@strawberry.type(description="A setting of the process that answers.")
class Setting:
    name: str = strawberry.field(description="The environment variable that sets it.")
    value: str | None = strawberry.field(
        description="The value, spelled as one would set it; null when unset and for a secret. Addresses are shown "
        "without users, passwords and queries."
    )
    is_secret: bool = strawberry.field(description="Whether the value is never shown.")
    is_set: bool = strawberry.field(description="Whether there is a value, even if it is not shown.")
    source: SettingSource = strawberry.field(description="The source of the value.")
    description: str = strawberry.field(description="What the setting is for, in Markdown.")


@strawberry.type
class _SettingsQuery:
    settings: list[Setting] | None = root(
        description="The settings of the process that answers, in the order of docs/settings.md. Needs "
        "`settings:read`.",
    )


def _settings(
    _read: Read, env: Env, _arguments: Mapping[str, Any]
) -> Generator[Query, Sequence[Any], list[dict[str, object]]]:
    yield from ()  # nothing of them is in the database
    return [{**asdict(each), "source": each.source.value} for each in shown_settings(env.settings)]


SETTINGS = Slice(
    query=_SettingsQuery,
    roots={"settings": RootSteps("Setting", _settings, requires="settings:read", many=True)},
)
"""The settings as who may read them sees them."""
