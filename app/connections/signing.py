"""The signature of Standard Webhooks, by which most systems sign deliveries."""

from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError


class StandardWebhooks:
    """Three headers: an id, a time of the last five minutes, and the signature over both and the body."""

    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def key(self, headers: Mapping[str, str], body: str) -> str:
        return headers.get("webhook-id", "")

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        signed = {name: headers.get(name, "") for name in self.headers}
        try:
            Webhook(secret).verify(body, signed, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # The library lets a signature that is no base64, or has no version, through as a ValueError.
            return False
        return True
