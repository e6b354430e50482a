"""Sends one signed request to a webhook, as Standard Webhooks say."""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import monotonic

from standardwebhooks import Webhook

from app.core.clock import Clock
from app.destinations.model import Attempt
from app.destinations.model.delivery import excerpt_of
from app.outbound import OutboundClient, OutboundFault

SECONDS = 10.0


class Webhooks:
    """The sender of this process."""

    def __init__(self, client: OutboundClient, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._client = client
        self._clock = clock
        self._seconds = seconds

    async def send(self, address: str, secrets: Sequence[str], message_id: str, body: bytes) -> Attempt:
        """What one attempt came to; it raises nothing but for cancellation."""
        at = self._clock()
        text = body.decode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Switchboard",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Webhook(each).sign(message_id, at, text) for each in secrets),
        }
        began = monotonic()
        try:
            answer = await self._client.send(
                "POST", address, headers=headers, content=body, seconds=self._seconds, cut=True
            )
        except OutboundFault as fault:
            return Attempt(at=at, latency_ms=_milliseconds(began), fault=fault.code.value, excerpt=fault.message)
        return Attempt(
            at=at,
            latency_ms=_milliseconds(began),
            http_status=answer.status,
            excerpt=excerpt_of(answer.content),
            retry_after=self._retry_after(answer.headers),
        )

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """The seconds that the receiver asks to be left alone; None for none, and for what is no such time."""
        given = headers.get("retry-after", "").strip()
        if given.isascii() and given.isdigit():
            return float(given[:9])
        try:
            return max((parsedate_to_datetime(given) - self._clock()).total_seconds(), 0.0)
        except (ValueError, TypeError, OverflowError):
            # TypeError: a time without its zone. OverflowError: a number in it that no machine's integer holds.
            return None


def _milliseconds(began: float) -> int:
    return round((monotonic() - began) * 1000)
