"""Messages by e-mail, in one thread for each interaction."""

import html
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from app.core.errors import InvalidInput
from app.destinations.channels.alert import TEST, one_line
from app.destinations.channels.channel import Accepted, Channel, Letter, Message, Target, no_secret
from app.directory.model.checks import email
from app.settings import Settings

_LONGEST_SUBJECT = 200


def _accept(address: str, secret: str | None) -> Accepted:
    no_secret(secret)
    found = email(address, ("address",))
    try:
        Address(addr_spec=found)
    except (HeaderParseError, ValueError, IndexError):
        raise InvalidInput("This takes one e-mail address, such as team@example.com.", path=("address",)) from None
    return Accepted(found, None)


def _letter(target: Target, message: Message) -> Letter:
    alert = message.alert()
    title = TEST if alert is None else alert.title
    facts = [] if alert is None else alert.facts
    link = None if alert is None else alert.link
    made = EmailMessage(SMTP)
    # A mail client would decode what looks like an encoded word.
    made["Subject"] = one_line(title, _LONGEST_SUBJECT).replace("=?", "= ?")
    made["To"] = Address(addr_spec=target.address)
    made["Message-ID"] = f"<{message.id}@switchboard.invalid>"
    made["Date"] = message.at
    made["Auto-Submitted"] = "auto-generated"
    if alert is not None:
        made["References"] = f"<{alert.interaction_id}@switchboard.invalid>"
    lines = [title, "", *(f"{name}: {value}" for name, value in facts)]
    made.set_content("\n".join(lines if link is None else [*lines, "", link]) + "\n")
    rows = "".join(f"<p>{html.escape(name)}: {html.escape(value)}</p>" for name, value in facts)
    opened = "" if link is None else f'<p><a href="{html.escape(link)}">Open</a></p>'
    made.add_alternative(f"<p><strong>{html.escape(title)}</strong></p>{rows}{opened}", subtype="html")
    return Letter(target.address, made)


def _lacks(settings: Settings) -> str | None:
    if settings.mail_server is not None:
        return None
    return "Mail needs SWITCHBOARD_SMTP_HOST and SWITCHBOARD_SMTP_SENDER."


CHANNEL = Channel(_accept, _letter, by_mail=True, lacks=_lacks)
