"""The Standard Webhooks signature, which most systems use."""

from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError


class StandardWebhooks:
    """Three headers: an id, a time within the last five minutes, and the signature over both and the body."""

    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def key(self, headers: Mapping[str, str], body: str) -> str:
        return headers.get("webhook-id", "")

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        signed = {name: headers.get(name, "") for name in self.headers}
        try:
            Webhook(secret).verify(body, signed, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # For a signature that is not base64 or has no version, the library raises a plain ValueError.
            return False
        return True
