"""Signed requests, as Standard Webhooks say."""

from standardwebhooks import Webhook

from app.core.webhook_secrets import new_webhook_secret
from app.destinations.channels.channel import JSON_HEADERS, Accepted, Channel, Message, Request, Target, no_secret


def _accept(address: str, secret: str | None) -> Accepted:
    no_secret(secret)
    new = new_webhook_secret()
    return Accepted(address, new, given_out=new)


def _request(target: Target, message: Message) -> Request:
    headers = {
        **JSON_HEADERS,
        "webhook-id": message.id,
        "webhook-timestamp": str(int(message.at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(each).sign(message.id, message.at, message.text) for each in target.secrets
        ),
    }
    return Request(target.address, headers, message.text.encode())


CHANNEL = Channel(_accept, _request, tells_documents=True)
