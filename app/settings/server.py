"""Settings of the server itself: limits, secrets and rules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal, Self, cast

import orjson
from pydantic import (
    AfterValidator,
    Field,
    IPvAnyNetwork,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    SecretStr,
    field_validator,
)
from pydantic_settings import NoDecode

from app.core.issuers import Issuer
from app.core.sealing import Sealer
from app.core.setting_types import Duration, FernetKey, Origin, Port, Region, Secret, StoreUrl
from app.settings.database import DatabaseSettings
from app.settings.kinds import K, KindSettings, defaults

MOST_OF_OPERATION = 20_000
"""What a single operation may cost."""


def _room_for_one(value: int) -> int:
    if value and value < MOST_OF_OPERATION:
        raise ValueError(f"it is 0, or at least {MOST_OF_OPERATION}, which a single operation may cost")
    return value


class ServerSettings(DatabaseSettings):
    """The settings that are not about reporting to others."""

    _of_kinds: Mapping[type[KindSettings], KindSettings] = PrivateAttr(default_factory=dict)
    _options: frozenset[str] = PrivateAttr(default=frozenset())

    host: str = Field(default="127.0.0.1", description="The address to listen at; `0.0.0.0` is every one.")
    port: Port = Field(default=8000, description="The port to listen at; 0 picks a free one.")
    workers: PositiveInt = Field(
        default=1, le=64, description="Server processes behind the one port, on PostgreSQL alone; at most 64."
    )
    demo: bool = Field(
        default=True,
        description="Load the example data at the first start with an empty database. Left unset it counts for SQLite "
        "alone, so that a PostgreSQL deployment starts empty.",
    )
    bootstrap_key: Secret | None = Field(
        default=None,
        description="The first API key of the user `admin`, made at the first start; without it a random one is made "
        "and shown once.",
    )
    key_pepper: Secret | None = Field(
        default=None,
        description="Secret mixed into the stored digests of API keys; [keys.md](keys.md) says how to change it. "
        "Without it a random one is made once and kept in the database.",
    )
    key_pepper_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Former peppers that keys may still be digested with, during a change: one pepper, or a JSON list "
        "of them. A key is digested anew at its next use.",
    )
    secrets_key: Annotated[tuple[FernetKey, ...], NoDecode] = Field(
        default=(),
        description="Keys that seal the secrets of other systems in the database, separated by commas: the first "
        "seals, all unseal. `.venv/bin/python -m app secrets-key` makes one; without one nothing that needs a secret "
        "can be set up.",
    )
    outbound_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        description="Networks that requests to other systems may reach although they are not public, and by plain "
        "http, separated by commas, such as `10.20.0.0/16,127.0.0.1/32`.",
    )
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(
        default=(),
        description="Origins of web pages of others that may call from a browser (CORS and WebSocket), separated by "
        "commas, such as `http://localhost:5173`; another port is another origin, and `*` is any.",
    )
    allowed_headers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Request headers that such pages may send besides those that clients of our APIs are known to "
        "send, separated by commas.",
    )
    max_body_bytes: PositiveInt = Field(default=1_048_576, description="The largest request body that is read.")
    compression: bool = Field(
        default=True, description="Whether answers of 1 KiB and more are compressed by gzip for clients that take it."
    )
    websocket_compression: bool = Field(
        default=False,
        description="Whether WebSockets may compress messages (permessage-deflate): 32 KiB more memory for each "
        "socket, and computing for each listener of a delivery.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks of proxies that are believed where a request comes from "
        "(`X-Forwarded-For`, `X-Forwarded-Proto`) and that have connections of many callers, besides this machine's "
        "own, separated by commas.",
    )
    keep_alive: PositiveInt = Field(
        default=5,
        description="Seconds that a connection stays open without a request; behind a proxy, more than the proxy keeps "
        "its connections.",
    )
    graphiql_folder: str = Field(
        default=".graphiql",
        description="Where the GraphiQL build is that `./scripts/serve` fetches by npm; without one `/graphql` shows "
        "the built-in explorer.",
    )
    rate_limit: NonNegativeInt = Field(
        default=0,
        description="Requests that one API key may make in a minute, over GraphQL and REST together; 0 is no limit.",
    )
    cost_limit: Annotated[int, AfterValidator(_room_for_one)] = Field(
        default=0,
        description="Cost of the operations that one user may run in a minute, over GraphQL and REST together; 0 is no "
        "limit, any other is at least the 20,000 that a single operation may cost.",
    )
    shared_store: StoreUrl | None = Field(
        default=None,
        repr=False,
        description="A Redis or Valkey server in which all processes count these two and the seconds of "
        "`SWITCHBOARD_COMPILE_SECONDS` together: `redis://<user>:<password>@<host>:<port>/<database>`, or `rediss://` "
        "with TLS; needs the extra `shared-limits`. Without one each process counts by itself.",
    )
    keys_per_user: PositiveInt = Field(
        default=100, description="API keys of one user that may be valid at once; one more is refused with TOO_MANY."
    )
    max_requests_at_once: PositiveInt = Field(
        default=64, description="Requests of one user that one process works on at once; its others wait in order."
    )
    max_sockets: PositiveInt = Field(
        default=1_000, description="WebSockets and streams of events that one user may have open in one process."
    )
    max_subscriptions: PositiveInt = Field(
        default=2_000, description="Subscriptions that one user may have open in one process."
    )
    max_unauthenticated_sockets: PositiveInt = Field(
        default=500,
        description="WebSockets of one address that may wait to show their key in one process; all addresses together "
        "have four times as many.",
    )
    issuers: Annotated[tuple[Issuer, ...], NoDecode] = Field(
        default=(),
        description="Identity providers (OpenID Connect) by whose tokens people sign in; see [access.md](access.md).",
    )
    stream_ticket_lifetime: Duration = Field(
        default=timedelta(hours=12),
        description="How long a stream may be resumed by its ticket, unless the key or token that made it ends before.",
    )
    access_token_lifetime: Duration = Field(
        default=timedelta(hours=1),
        description="How long an access token of the client-credentials exchange is valid.",
    )
    max_document_bytes: PositiveInt = Field(default=65_536, description="The longest GraphQL document that is parsed.")
    max_depth: PositiveInt = Field(default=32, description="The deepest nesting of fields in an operation.")
    documents_folder: str | None = Field(
        default=None,
        description="The folder of trusted documents, `*.graphql`, which is read at the start; see [clients.md]"
        "(clients.md#documents-by-their-hash).",
    )
    documents_only: bool = Field(default=False, description="Whether no other documents of GraphQL than those are run.")
    compile_seconds: NonNegativeInt = Field(
        default=10,
        description="Seconds of computing a minute that are spent on a caller's new GraphQL documents; beyond them the "
        "caller is RATE_LIMITED. 0 is no limit.",
    )
    phone_region: Region | None = Field(
        default=None,
        description="Where telephone numbers belong that are given without their country, as by ISO 3166: `NO`. They "
        "are kept as given and found in their international form too, from the next change of their customer on. Left "
        "unset, a customer's `countryCode` alone says it.",
    )
    session_window: Duration = Field(
        default=timedelta(hours=2),
        description="How long after its last message a Session is its customer's current one.",
    )
    event_retention: Duration = Field(
        default=timedelta(days=90),
        description="How long events are kept: how far back a history reaches and a subscription can resume; an older "
        "cursor is CURSOR_EXPIRED. On PostgreSQL a history may reach an eighth further.",
    )
    idempotency_retention: Duration = Field(
        default=timedelta(hours=24), description="How long the answer to an idempotency key is kept."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe entry that is logged."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="Log lines for people, or one JSON object a line."
    )
    shutdown_grace: NonNegativeInt = Field(
        default=2, description="Seconds that open requests have to finish when the server is told to stop."
    )

    @field_validator(
        "allowed_origins",
        "allowed_headers",
        "secrets_key",
        "outbound_networks",
        "trusted_proxies",
        mode="before",
    )
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(found for part in value.split(",") if (found := part.strip().rstrip("/")))

    @field_validator("key_pepper_previous", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            found = orjson.loads(value)
        except orjson.JSONDecodeError:
            found = None
        # A pepper may be a number, and be JSON by accident.
        return found if isinstance(found, list) else [value] if value.strip() else []

    @field_validator("issuers")
    @classmethod
    def _each_once(cls, value: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
        if len({each.issuer for each in value}) < len(value):
            raise ValueError("an issuer is named twice")
        return value

    @field_validator("issuers", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        return orjson.loads(value) if isinstance(value, str) else value

    def of(self, kind: type[K]) -> K:
        """The settings of a kind, or its defaults when none were given."""
        found = self._of_kinds.get(kind)
        return defaults(kind) if found is None else cast("K", found)

    def having(self, *of_kinds: KindSettings) -> Self:
        """The same settings, with these settings of kinds."""
        copied = self.model_copy()
        copied._of_kinds = {**self._of_kinds, **{type(each): each for each in of_kinds}}
        return copied

    @property
    def options(self) -> frozenset[str]:
        """The names of the fields that were set by options of the command line."""
        return self._options

    def with_options(self, names: Iterable[str]) -> Self:
        """The same settings, noting that options of the command line have set these fields."""
        copied = self.model_copy()
        copied._options = frozenset(names)
        return copied

    @property
    def of_kinds(self) -> Sequence[KindSettings]:
        """The settings of kinds that were given."""
        return tuple(self._of_kinds.values())

    @property
    def sealer(self) -> Sealer:
        """Seals and unseals the secrets of other systems."""
        return Sealer([key.get_secret_value() for key in self.secrets_key])

    @property
    def loads_demo(self) -> bool:
        """Whether an empty database is filled with the example data."""
        return self.demo and (self.on_sqlite or "demo" in self.model_fields_set)
