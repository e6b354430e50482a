"""The address of the mail server, and how to reach it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes mail, with a login. `tls` is `tls`, `starttls` or `none`."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None
    sender: str
