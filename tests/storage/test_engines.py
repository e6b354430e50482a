"""Database addresses."""

from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.database import open_database
from app.storage.engines import ConfigurationError, parse_database_url
from tests.conftest import CountingIds, ManualClock


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("sqlite:///a/b.db", "sqlite+aiosqlite:///a/b.db"),
        ("sqlite+aiosqlite:////a/b.db", "sqlite+aiosqlite:////a/b.db"),
        ("postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+asyncpg://u:p@h/d?ssl=require"),
        ("postgresql+asyncpg:///d?host=/run", "postgresql+asyncpg:///d?host=%2Frun"),
    ],
)
def test_addresses_are_normalised(text: str, normal: str) -> None:
    assert parse_database_url(text).render_as_string(hide_password=False) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "mysql://user:hunter2@host/name",
        "postgresql+psycopg2://user:hunter2@host/name",
        "postgresql://user:hunter2@host:port/name",
        "hunter2",
    ],
)
def test_other_addresses_are_refused_without_their_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_database_url(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.anyio
async def test_a_database_without_our_tables_is_refused(
    empty_database_url: str, clock: ManualClock, ids: CountingIds, settings: Settings
) -> None:
    with pytest.raises(ConfigurationError, match="migrate it first"):
        await open_database(empty_database_url, clock=clock, ids=ids, settings=settings)


@pytest.mark.anyio
async def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, clock: ManualClock, ids: CountingIds, settings: Settings
) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        await open_database(f"sqlite:///{tmp_path}/no/x.db", clock=clock, ids=ids, settings=settings)
