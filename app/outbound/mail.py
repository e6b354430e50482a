"""Mail by the SMTP server of the settings."""

import asyncio
from email.message import EmailMessage

import aiosmtplib

from app.core.mail_server import MailServer
from app.outbound.faults import OutboundCode, OutboundFault


async def send_mail(server: MailServer, message: EmailMessage, recipient: str, *, seconds: float) -> tuple[int, str]:
    """Sends one message in at most `seconds`. Returns the code and the text of the server's answer.

    Raises OutboundFault without an answer."""
    try:
        async with asyncio.timeout(seconds):
            _, said = await aiosmtplib.send(
                message,
                sender=server.sender,
                recipients=[recipient],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls == "tls",
                start_tls=server.tls == "starttls",
                timeout=seconds,
            )
            return 250, said
    except aiosmtplib.SMTPRecipientsRefused as refused:
        (first, *_) = refused.recipients
        return first.code, first.message
    except aiosmtplib.SMTPResponseException as refused:
        return refused.code, refused.message
    except (TimeoutError, aiosmtplib.SMTPTimeoutError):
        said = f"There was no answer of the mail server within {seconds:g} seconds."
        raise OutboundFault(OutboundCode.TIMEOUT, said, may_have_arrived=True) from None
    except (aiosmtplib.SMTPException, OSError, ValueError):
        # ValueError: the server's answer cannot be parsed.
        raise OutboundFault(
            OutboundCode.CONNECTION, "The mail server cannot be connected to, or does not speak as it has to."
        ) from None
