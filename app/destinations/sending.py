"""Sends one message to a destination, once."""

from email.headerregistry import Address
from time import monotonic

from app.core.clock import Clock
from app.destinations.channels import CHANNELS, Letter, Message, Request, Target
from app.destinations.model import Attempt, DestinationType
from app.destinations.model.delivery import excerpt_of
from app.outbound import OutboundClient, OutboundCode, OutboundFault, send_mail
from app.outbound.waiting import retry_after
from app.settings import Settings

SECONDS = 10.0
MAIL_SECONDS = 30.0


class Sender:
    """Sends messages by HTTP or mail."""

    def __init__(self, client: OutboundClient, clock: Clock, settings: Settings, *, seconds: float = SECONDS) -> None:
        self._client = client
        self._clock = clock
        self._settings = settings
        self._seconds = seconds

    async def send(self, type_: DestinationType, target: Target, message_id: str, text: str) -> Attempt:
        """Sends a message once and returns the attempt. Raises only CancelledError."""
        at, channel, settings = self._clock(), CHANNELS[type_], self._settings
        began = monotonic()
        try:
            lacking = channel.lacks(settings)
            if lacking is not None:
                raise OutboundFault(OutboundCode.CONNECTION, lacking)
            made = channel.made(target, Message(message_id, at, text, settings.public_url, settings.vapid))
            if isinstance(made, Letter):
                status, said, asked = await self._mailed(made)
            else:
                status, said, asked = await self._posted(made)
        except OutboundFault as fault:
            return Attempt(at=at, latency_ms=_milliseconds(began), fault=fault.code.value, excerpt=fault.message)
        return Attempt(
            at=at,
            latency_ms=_milliseconds(began),
            http_status=status,
            excerpt=excerpt_of(said),
            retry_after=asked,
            is_gone=status in channel.gone,
        )

    async def _posted(self, request: Request) -> tuple[int, bytes, float | None]:
        answer = await self._client.send(
            "POST", request.url, headers=request.headers, content=request.content, seconds=self._seconds, cut=True
        )
        return answer.status, answer.content, retry_after(answer.headers, self._clock())

    async def _mailed(self, letter: Letter) -> tuple[int, bytes, float | None]:
        server = self._settings.mail_server
        assert server is not None
        letter.message["From"] = Address(addr_spec=server.sender)
        status, said = await send_mail(server, letter.message, letter.to, seconds=MAIL_SECONDS)
        return status, said.encode(), None


def _milliseconds(began: float) -> int:
    return round((monotonic() - began) * 1000)
