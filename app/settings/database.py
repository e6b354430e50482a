"""Settings of the database: its address, connections and time limits."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, PositiveInt, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.setting_types import Duration
from app.settings.kinds import PREFIX


class DatabaseSettings(BaseSettings):
    """The settings of the database."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default="sqlite:///switchboard.db",
        repr=False,
        description="Where the data is: `sqlite:///<file>` (relative to the working directory, or absolute with four "
        "slashes) or `postgresql://<user>:<password>@<host>:<port>/<database>`.",
    )
    read_url: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        repr=False,
        description="Streaming replicas of a PostgreSQL database that answer reads, each written as "
        "`SWITCHBOARD_DATABASE_URL` is, separated by commas; see [operations.md](operations.md#replicas).",
    )
    read_lag: PositiveInt = Field(
        default=100,
        le=60_000,
        description="Milliseconds that a read waits for its replica to have what was written before it; a replica that "
        "needs longer is left for the primary until it keeps up.",
    )
    pool_size: PositiveInt = Field(
        default=16,
        le=1_000,
        description="Connections to PostgreSQL that one process keeps, for commands and for reads each; at most 1,000.",
    )
    lock_timeout: Duration = Field(
        default=timedelta(seconds=5),
        description="How long a command on PostgreSQL waits for what another one holds before it is UNAVAILABLE.",
    )
    command_timeout: Duration = Field(
        default=timedelta(seconds=10),
        description="How long a command on PostgreSQL is tried, and each statement of it, before it is UNAVAILABLE.",
    )
    database_silence: Duration = Field(
        default=timedelta(seconds=3),
        description="How long PostgreSQL may leave a connection unanswered before the process checks whether it is "
        "lost; also how long opening a connection may take.",
    )
    max_waiting_commands: PositiveInt = Field(
        default=1_000,
        description="Commands of one caller that one process keeps waiting; further ones are RATE_LIMITED.",
    )
    reader_threads: PositiveInt = Field(
        default=4, le=256, description="Threads that read an SQLite database, each with a connection; at most 256."
    )
    max_waiting_reads: PositiveInt = Field(
        default=1_000,
        description="Reads of one caller that one process keeps waiting; further ones are RATE_LIMITED.",
    )
    read_timeout: Duration = Field(
        default=timedelta(seconds=10),
        description="How long one read may run, not how long it waits; a longer one is stopped and says TIMEOUT.",
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme, separator, _ = value.partition("://")
        if not separator or scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
            raise ValueError("it has to begin with sqlite:/// or postgresql://")
        return value

    @field_validator("read_url", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(found for part in value.split(",") if (found := part.strip()))

    @field_validator("read_url")
    @classmethod
    def _known_replicas(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")) for each in value):
            raise ValueError("each has to begin with postgresql://; SQLite has no replicas")
        if len(set(value)) < len(value):
            raise ValueError("a replica is named twice")
        return value

    @model_validator(mode="after")
    def _replicas_of_a_primary(self) -> Self:
        if self.read_url and self.on_sqlite:
            raise ValueError(
                f"{PREFIX}READ_URL: SQLite has no replicas; name the primary on PostgreSQL in {PREFIX}DATABASE_URL, or "
                "leave the replicas out"
            )
        if self.database_url in self.read_url:
            raise ValueError(f"{PREFIX}READ_URL: one of them is {PREFIX}DATABASE_URL itself")
        return self

    @property
    def on_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")
