"""Mail is handed over encrypted and signed in, or not at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.core.mail_server import MailServer
from app.outbound import OutboundCode, OutboundFault
from app.outbound.mail import send_mail
from tests.outbound.certificates import certificate
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse"


class Office:
    """An SMTP server that lets people sign in over TLS, and keeps what it heard."""

    def __init__(self) -> None:
        self.found: list[Envelope] = []
        self.tried: list[str] = []

    def authenticate(self, _server: SMTP, _session: object, _envelope: object, _by: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.tried.append(given.password.decode())
        return AuthResult(success=given.login == b"desk" and given.password == PASSWORD.encode(), handled=False)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.found.append(envelope)
        return "250 Taken"


@asynccontextmanager
async def office(context: ssl.SSLContext | None, how: str) -> AsyncIterator[tuple[Office, int]]:
    kept, loop = Office(), asyncio.get_running_loop()
    by_command = context if how == "starttls" else None

    def session() -> SMTP:
        return SMTP(
            kept,
            loop=loop,
            tls_context=by_command,
            auth_required=by_command is not None,
            auth_require_tls=by_command is not None,
            authenticator=kept.authenticate,
        )

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if how == "tls" else None)
    try:
        yield kept, server.sockets[0].getsockname()[1]
    finally:
        server.close()


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Hello"
    message.set_content("Hello")
    return message


async def send(port: int, how: str, password: str = PASSWORD) -> tuple[int, str]:
    server = MailServer("localhost", port, how, "desk", password, "desk@example.com")
    return await send_mail(server, letter(), "team@example.com", seconds=PATIENCE)


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_mail_is_signed_in_over_a_trusted_connection(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    async with office(context, how) as (kept, port):
        assert await send(port, how) == (250, "Taken")
        refused, _ = await send(port, how, "another")
    assert refused == 535
    assert (set(kept.tried), len(kept.found)) == ({PASSWORD, "another"}, 1)


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_mail_server_that_nobody_vouches_for_learns_no_password(how: str, tmp_path: Path) -> None:
    async with office(certificate(tmp_path, "localhost"), how) as (kept, port):
        with pytest.raises(OutboundFault) as raised:
            await send(port, how)
    assert (raised.value.code, raised.value.may_have_arrived) == (OutboundCode.CONNECTION, False)
    assert PASSWORD not in str(raised.value)
    assert (kept.tried, kept.found) == ([], [])


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_mail_is_not_sent_in_the_clear_where_it_is_to_be_encrypted(how: str) -> None:
    async with office(None, "none") as (kept, port):
        with pytest.raises(OutboundFault):
            await send(port, how)
    assert (kept.tried, kept.found) == ([], [])
