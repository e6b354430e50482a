"""Stories of conversations on all three channels."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.ids import GlobalId
from app.demo.cast import ROOT, Cast, channel_of
from app.demo.stage import Stage, Story
from app.demo.talking import answering, hearing, said, talk
from app.demo.texts import CHANNEL_FAULTS, ENGLISH, OTHERS, Line
from app.directory.model import Channel
from app.interactions.messages import MessageError, MessageErrorType, MessageStatus
from app.interactions.service.deliveries import report_message_status, set_reaction
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import close, set_labels, snooze
from app.kinds.conversation.model.conversation import PREFIX
from app.kinds.conversation.service.channel_agents import create_channel_agent
from app.kinds.conversation.service.conversations import restart_conversation

_CHANNEL_AGENTS: Mapping[Channel, tuple[str, str]] = {
    Channel.WHATSAPP: ("4915223567929", "Support on WhatsApp"),
    Channel.WIDGET: ("shop-widget", "Widget of the shop"),
    Channel.BRIDGE: ("bridge-1", "Bridge to the old system"),
}

_PICTURE = {
    "type": "image",
    "mime_type": "image/jpeg",
    "size": 183_204,
    "name": "crack.jpg",
    "public_download_url": "https://files.example.com/crack.jpg",
    "caption": "the crack in the glass",
}
_PLACE = {"type": "location", "latitude": "59.9139", "longitude": "10.7522", "name": "Pick-up point Oslo S"}
_CARD = {"type": "contact", "name": {"formatted_name": "Ola Haugen"}, "phones": [{"phone": "+4722334455"}]}
_INVOICE = {
    "type": "document",
    "mime_type": "application/pdf",
    "size": 48_211,
    "filename": "invoice-10452.pdf",
    "public_download_url": "https://files.example.com/invoice-10452.pdf",
}

# Person, minutes ago, lines, what happens then. Persons 0, 3, 6, 9 and 12 are on WhatsApp.
_SCENES: tuple[tuple[int, float, Sequence[Line], str], ...] = (
    (1, 6_000, ENGLISH[0], "done"),
    (2, 4_000, OTHERS[0], "done"),
    (3, 3_500, ENGLISH[4], "out of window"),
    (4, 2_300, OTHERS[3], "done"),
    (6, 1_800, OTHERS[2][:3], "restart"),
    (9, 1_415, ENGLISH[1][:1], "in progress"),
    (5, 900, ENGLISH[3], "done"),
    (7, 500, OTHERS[4][:3], "snooze"),
    (8, 330, ENGLISH[5], "snooze"),
    (10, 140, ENGLISH[2][:5], "in progress"),
    (0, 65, ENGLISH[0][:4], "claim"),
    (11, 41, OTHERS[6][:1], ""),
    (12, 26, OTHERS[5][:1], ""),
    (13, 3, ENGLISH[3][:2], ""),
)


def stories(stage: Stage, cast: Cast) -> Iterator[Story]:
    """Three channel agents with fourteen conversations."""
    agents = {}
    for channel, (display_id, name) in _CHANNEL_AGENTS.items():
        given = {"channel": channel.value, "display_id": display_id, "name": name}
        agents[channel] = stage.do(create_channel_agent, ROOT, given).id
    for person, minutes, lines, ending in _SCENES:
        yield _scene(stage, cast, agents[channel_of(person)], person, stage.ago(minutes=minutes), lines, ending)


def _scene(
    stage: Stage, cast: Cast, agent: int, person: int, at: datetime, lines: Sequence[Line], ending: str
) -> Story:
    gateway, tony = cast["gateway"], cast["tony"]
    yield at
    customer = cast.customer("CONVERSATION", person)
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    first = stage.do(receive_message, gateway, target, [said(lines[0].text)])
    ref = GlobalId(PREFIX, first.interaction)
    if ending:
        yield at + timedelta(seconds=50)
        stage.do(claim, tony, ref)
        stage.do(mark_read, tony, ref)
    hear, answer = hearing(stage, gateway, ref), answering(stage, tony, ref)
    yield from talk(at + timedelta(minutes=1), timedelta(minutes=3), lines[1:], hear, answer)
    if ending:
        yield stage.now + timedelta(minutes=2)
        yield from _ENDINGS[ending](stage, cast, ref, first.message)


def _done(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    gateway, tony = cast["gateway"], cast["tony"]
    sent = stage.do(send_message, tony, ref, _INVOICE)
    for status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ):
        yield stage.now + timedelta(seconds=4)
        stage.do(report_message_status, gateway, GlobalId("msg", sent.message), status)
    stage.do(set_reaction, gateway, GlobalId("msg", sent.message), "\U0001f44d", of_customer=True)
    stage.do(set_reaction, tony, GlobalId("msg", first), "\u2764\ufe0f")
    yield stage.now + timedelta(minutes=5)
    stage.do(mark_read, tony, ref)
    stage.do(set_labels, tony, ref, ["orders", "solved"])
    stage.do(close, tony, ref)


def _out_of_window(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    yield stage.now + timedelta(hours=30)
    stage.do(send_message, cast["tony"], ref, said("Sorry for the delay, here is your answer."))


def _restart(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    stage.do(mark_read, cast["tony"], ref)
    yield stage.now + timedelta(hours=25)
    stage.do(restart_conversation, cast["tony"], ref)


def _in_progress(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    gateway, tony = cast["gateway"], cast["tony"]
    stage.do(receive_message, gateway, {"interaction": ref}, [_PICTURE, _CARD], reference=GlobalId("msg", first))
    stage.do(add_note, tony, ref, "Has sent a picture. The glass is covered by the guarantee.")
    yield stage.now


def _claim(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    gateway, tony = cast["gateway"], cast["tony"]
    sent = stage.do(send_message, tony, ref, _PLACE, reference=GlobalId("msg", first))
    yield stage.now + timedelta(seconds=9)
    error = MessageError(type=MessageErrorType.STATUS_UPDATE, original_message=CHANNEL_FAULTS[1])
    stage.do(report_message_status, gateway, GlobalId("msg", sent.message), MessageStatus.ERROR, error=error)
    yield stage.now + timedelta(minutes=1)
    stage.do(receive_message, gateway, {"interaction": ref}, [said("\U0001f914 where exactly?")])
    stage.do(release, tony, ref)
    stage.do(claim, tony, ref, lease_seconds=7_200)


def _snooze(stage: Stage, cast: Cast, ref: GlobalId, first: int) -> Story:
    stage.do(mark_read, cast["tony"], ref)
    stage.do(add_note, cast["tony"], ref, "The customer is back on Monday.")
    stage.do(snooze, cast["tony"], ref, stage.end + timedelta(hours=20))
    yield stage.now


_ENDINGS: Mapping[str, Any] = {
    "done": _done,
    "out of window": _out_of_window,
    "restart": _restart,
    "in progress": _in_progress,
    "claim": _claim,
    "snooze": _snooze,
}
