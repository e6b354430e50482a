"""Which server takes mail, and how it is reached."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whose. `tls` is `tls`, `starttls` or `none`."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None
    sender: str
