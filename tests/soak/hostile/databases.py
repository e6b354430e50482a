"""Databases with bulk data: copies of those that the benchmarks keep, which attacks may spoil."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from rich.console import Console

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.interactions.tables import interaction, message
from app.registry import KINDS
from app.settings import Settings
from app.storage.database import open_database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.repository import reserve_ids
from app.storage.work import Work
from benchmarks.databases import postgresql, sqlite_url

_NAME = "hostile"


@contextmanager
def loaded_database(backend: str, interactions: int) -> Iterator[tuple[str, Path]]:
    """The address of a database with so many interactions, `sqlite` or `postgresql`, and a folder for what else there
    is. The data is generated once and kept; what is given is a copy."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="switchboard-soak-") as name:
        folder = Path(name)
        if backend == "sqlite":
            kept = sqlite_url(interactions, console).removeprefix("sqlite:///")
            shutil.copyfile(kept, folder / "switchboard.db")
            yield f"sqlite:///{folder}/switchboard.db", folder
            return
        with postgresql(interactions, console) as (kept, _):
            url = sa.make_url(kept)
            server = url.set(database="postgres").render_as_string(hide_password=False)
            asyncio.run(_execute(server, f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)"))
            asyncio.run(_execute(server, f"CREATE DATABASE {_NAME} TEMPLATE {url.database}"))
            yield url.set(database=_NAME).render_as_string(hide_password=False), folder
            asyncio.run(_execute(server, f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)"))


async def crowd(database_url: str, messages: int) -> str:
    """Give one conversation so many more messages, copies of others; the id of its customer."""
    rules = {kind.rules.name: kind.rules for kind in KINDS}
    settings = Settings(database_url=database_url, pool_size=1)
    database = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=settings, kinds=rules)
    try:
        return await database.command(_crowd, messages)
    finally:
        await database.close()


def _crowd(work: Work, messages: int) -> str:
    chosen = sa.select(interaction.c.id, interaction.c.customer_id).where(
        interaction.c.kind == "conversation", interaction.c.customer_id.is_not(None)
    )
    row = work.connection.execute(chosen.order_by(interaction.c.id.desc()).limit(1)).one()
    first = reserve_ids(work.connection, message, messages)
    number = sa.func.row_number().over(order_by=message.c.id)
    made = {
        "id": first - 1 + number,
        "interaction_id": sa.literal(row.id),
        "kind": sa.literal("conversation"),
        "message_key": sa.literal("crowd-") + sa.cast(message.c.id, sa.Text),
        "reference_id": sa.null(),
        "latest_error_id": sa.null(),
    }
    columns = [made.get(column.name, column) for column in message.c]
    copies = sa.select(*columns).order_by(message.c.id).limit(messages)
    work.connection.execute(sa.insert(message).from_select([column.name for column in message.c], copies))
    return f"cus_{row.customer_id}"


async def _execute(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(database_url)))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
