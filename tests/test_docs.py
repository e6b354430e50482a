"""Documentation under test: what it lists is what there is."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core import codes
from app.core.errors import DomainError
from app.graph.error_codes import CODES
from app.registry import PERMISSIONS, SETTINGS
from app.schema import build_schema
from app.settings import PREFIX, Settings, declared

DOCS = Path(__file__).parents[1] / "docs"

TYPES = {
    "database_url": "URL",
    "read_url": "list",
    "read_lag": "integer",
    "pool_size": "integer",
    "lock_timeout": "duration",
    "command_timeout": "duration",
    "database_silence": "duration",
    "max_waiting_commands": "integer",
    "reader_threads": "integer",
    "max_waiting_reads": "integer",
    "read_timeout": "duration",
    "host": "text",
    "port": "integer",
    "metrics_port": "integer",
    "metrics_host": "text",
    "metrics_key": "secret",
    "traces_url": "text",
    "traces_share": "number",
    "workers": "integer",
    "demo": "true or false",
    "bootstrap_key": "secret",
    "key_pepper": "secret",
    "key_pepper_previous": "secrets",
    "secrets_key": "secrets",
    "public_url": "URL",
    "smtp_host": "text",
    "smtp_port": "integer",
    "smtp_tls": "`starttls`, `tls` or `none`",
    "smtp_user": "text",
    "smtp_password": "text",
    "smtp_sender": "text",
    "vapid_key": "text",
    "vapid_contact": "text",
    "outbound_networks": "list",
    "allowed_origins": "list",
    "allowed_headers": "list",
    "max_body_bytes": "integer",
    "compression": "true or false",
    "websocket_compression": "true or false",
    "trusted_proxies": "list",
    "keep_alive": "integer",
    "graphiql_folder": "text",
    "rate_limit": "integer",
    "cost_limit": "integer",
    "shared_store": "URL",
    "keys_per_user": "integer",
    "max_requests_at_once": "integer",
    "max_sockets": "integer",
    "max_subscriptions": "integer",
    "max_unauthenticated_sockets": "integer",
    "issuers": "JSON",
    "stream_ticket_lifetime": "duration",
    "access_token_lifetime": "duration",
    "max_document_bytes": "integer",
    "max_depth": "integer",
    "documents_folder": "text",
    "documents_only": "true or false",
    "compile_seconds": "integer",
    "phone_region": "text",
    "session_window": "duration",
    "reply_window_warning": "duration",
    "allow_reply_without_attention": "true or false",
    "escalation": "JSON",
    "report_retention": "duration",
    "response_targets": "JSON",
    "event_retention": "duration",
    "idempotency_retention": "duration",
    "log_level": "`debug`, `info`, `warning` or `error`",
    "log_format": "`console` or `json`",
    "access_log": "true or false",
    "slow_log": "duration",
    "shutdown_grace": "integer",
}


def first_cells(page: str) -> list[str]:
    """The code in the first cell of every row of the page's tables."""
    return re.findall(r"^\| `([^`]+)` \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)


def written(default: Any) -> str:
    """A default as it would be set."""
    match default:
        case None | ():
            return "none"
        case bool():
            return f"`{str(default).lower()}`"
        case timedelta():
            if default < timedelta(minutes=1):
                return f"`{default.seconds}s`"
            hours = int(default / timedelta(hours=1))
            return f"`{hours}h`" if hours < 48 else f"`{hours // 24}d`"
        case Mapping():
            return f"`{orjson.dumps(default).decode()}`"
        case _:
            return f"`{default}`"


def error_codes(root: type[DomainError] = DomainError) -> Iterator[str]:
    for subclass in root.__subclasses__():
        if subclass.__module__.startswith("app."):
            yield subclass.code
            yield from error_codes(subclass)


FIELDS = declared(SETTINGS)
"""What can be set, of the whole and of kinds."""


def test_no_two_settings_have_one_name() -> None:
    assert len(FIELDS) == len(Settings.model_fields) + sum(len(each.model_fields) for each in SETTINGS)


@pytest.mark.parametrize("name", FIELDS)
def test_settings_are_described_as_they_are(name: str) -> None:
    field = FIELDS[name]
    row = f"| `{PREFIX}{name.upper()}` | {TYPES[name]} | {written(field.default)} | {field.description} |"
    assert row in (DOCS / "settings.md").read_text(encoding="utf-8").splitlines()


def test_no_setting_is_described_that_does_not_exist() -> None:
    assert first_cells("settings.md") == [f"{PREFIX}{name.upper()}" for name in FIELDS]


def test_every_error_code_is_described_once() -> None:
    of_requests = {
        value
        for name, value in vars(codes).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch("[A-Z_]+", value)
    }
    assert sorted(first_cells("errors.md")) == sorted([*error_codes(), *of_requests])


def test_every_error_code_is_in_the_schema() -> None:
    assert sorted(CODES) == sorted(error_codes())
    assert build_schema().type_map["ErrorCode"].values.keys() == CODES.keys()  # type: ignore[attr-defined]


def test_every_permission_is_in_the_schema() -> None:
    values = build_schema().type_map["Permission"].values  # type: ignore[attr-defined]
    assert sorted(PERMISSIONS) == sorted(each.value for each in values.values())
    assert sorted(values) == sorted(each.replace(":", "_").upper() for each in PERMISSIONS)


def test_every_permission_is_described_once() -> None:
    described = first_cells("permissions.md")
    assert len(described) == len(set(described))
    assert set(PERMISSIONS) <= set(described)


@pytest.mark.parametrize("page", sorted([*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]), ids=lambda page: page.name)
def test_commands_work_where_the_project_is(page: Path) -> None:
    # The Python of a system has none of what the project needs.
    commands = re.findall(r"(\S*)python -m app", page.read_text(encoding="utf-8"))
    assert {each.lstrip("`(") for each in commands} <= {".venv/bin/"}
