"""Every setting, with those for reporting to operators and other servers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

import orjson
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from app.core.issuers import is_loopback
from app.core.mail_server import MailServer
from app.core.setting_types import Contact, Duration, MailAddress, Port, PublicUrl, Secret, VapidKey
from app.core.vapid import Vapid, private_key_of
from app.settings.kinds import PREFIX
from app.settings.server import ServerSettings


class Settings(ServerSettings):
    """Every setting, read once at start-up. `SWITCHBOARD_` and the field's name in capitals set it."""

    report_retention: Duration = Field(
        default=timedelta(days=800), description="How long the figures of reports are kept."
    )
    response_targets: Annotated[Mapping[str, Duration], NoDecode] = Field(
        default={"agent_session": "15m", "chat_session": "2m", "conversation": "1h", "session": "15m"},
        validate_default=True,
        description="Within which time a user is to answer, as reports count it: a JSON object of kinds, each with a "
        "duration. Answers are counted by the target of that moment; a kind that is not named has none.",
    )
    public_url: PublicUrl | None = Field(
        default=None,
        description="Where people open the console, such as `https://switchboard.example.com`; alerts link there. "
        "Without it they have no links.",
    )
    smtp_host: str | None = Field(
        default=None, description="The mail server that destinations of the type EMAIL are told by; none without it."
    )
    smtp_port: Port = Field(default=587, description="The port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection to the mail server is encrypted: from its beginning (`tls`, usually at port "
        "465), after a greeting (`starttls`), or not at all (`none`).",
    )
    smtp_user: str | None = Field(default=None, description="The user to sign in as at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="The password of that user.")
    smtp_sender: MailAddress | None = Field(default=None, description="The address that mail is from.")
    vapid_key: VapidKey | None = Field(
        default=None,
        description="The private key by which push services know this server, for destinations of the type WEB_PUSH; "
        "`.venv/bin/python -m app push-key` makes one. With another key browsers have to subscribe anew.",
    )
    vapid_contact: Contact | None = Field(
        default=None,
        description="Where who runs a push service finds who runs this server: `mailto:desk@example.com`, or an https "
        "URL.",
    )
    metrics_port: Port | None = Field(
        default=None,
        description="The port of `/metrics` for Prometheus, which is another one than the graph's; 0 picks a free one, "
        "and left unset there are none. Of several workers each takes the next free port.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        description="The address to serve metrics at; any other than this machine needs `SWITCHBOARD_METRICS_KEY`.",
    )
    metrics_key: Secret | None = Field(
        default=None,
        description="What a scrape has to send as `Authorization: Bearer …`; without one anybody may scrape.",
    )
    traces_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where traces go by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; needs the extra "
        "`tracing`. Left unset there are none.",
    )
    traces_share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="The share of the traces that begin here which are kept, 0 to 1. Those of callers are kept as they "
        "say.",
    )
    access_log: bool = Field(
        default=False,
        description="Whether every answer, with its time, operation, client and user, and every WebSocket handshake is "
        "logged, without its query string.",
    )
    slow_log: Duration | None = Field(
        default=None,
        description="From how long on an operation is logged with its statements, such as `1s`. Their text holds no "
        "value of a client.",
    )

    @field_validator("response_targets", mode="before")
    @classmethod
    def _parse_targets(cls, value: object) -> object:
        return orjson.loads(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _kept_from_strangers(self) -> "Settings":
        if self.metrics_port is not None and self.metrics_key is None and not is_loopback(self.metrics_host):
            raise ValueError(
                f"{PREFIX}METRICS_KEY: {self.metrics_host} is an address that others reach, so scrapes need a key; "
                "`openssl rand -hex 32` makes one"
            )
        return self

    @property
    def notes_steps(self) -> bool:
        """Whether the statements of each request are recorded."""
        return self.slow_log is not None or self.traces_url is not None

    @property
    def watches(self) -> bool:
        """Whether something watches each answer."""
        return self.access_log or self.notes_steps or self.metrics_port is not None

    @property
    def mail_server(self) -> MailServer | None:
        """The server that takes mail; None when none is set."""
        if self.smtp_host is None or self.smtp_sender is None:
            return None
        password = None if self.smtp_password is None else self.smtp_password.get_secret_value()
        return MailServer(self.smtp_host, self.smtp_port, self.smtp_tls, self.smtp_user, password, self.smtp_sender)

    @property
    def vapid(self) -> Vapid | None:
        """The keys for web push; None when none are set."""
        if self.vapid_key is None or self.vapid_contact is None:
            return None
        return Vapid(private_key_of(self.vapid_key.get_secret_value()), self.vapid_contact)
