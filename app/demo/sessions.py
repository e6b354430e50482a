"""Stories of Sessions, the examples of both contract pages among them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from app.core.ids import GlobalId
from app.demo.cast import Cast
from app.demo.stage import Stage, Story
from app.demo.talking import answering, hearing, said, talk
from app.demo.texts import ENGLISH, OTHERS, Line
from app.directory.service import create_customer
from app.interactions.messages import MessageAuthor
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import acknowledge, set_labels
from app.kinds.session.model import PREFIX, SessionChanges, Suggestion
from app.kinds.session.service import open_for_customer, update

_PAGES_END = timedelta(minutes=12), timedelta(minutes=40)
"""How long before the end the two examples were updated, as their pages show them."""

# Person, minutes ago, lines, what happens then.
_SCENES: tuple[tuple[int, float, Sequence[Line], str], ...] = (
    (0, 4_300, ENGLISH[0], ""),
    (1, 2_900, ENGLISH[1], "flag and solve"),
    (2, 1_700, OTHERS[0], ""),
    (3, 1_250, ENGLISH[3], ""),
    (4, 700, OTHERS[5], "flag and solve"),
    (0, 95, ENGLISH[2][:3], "flag"),
    (5, 80, OTHERS[3][:4], ""),
    (6, 61, ENGLISH[4][:5], "claim"),
    (7, 33, OTHERS[1][:1], "acknowledge"),
    (8, 9, ENGLISH[3][:2], ""),
)


def stories(stage: Stage, cast: Cast) -> Iterator[Story]:
    """Twelve Sessions."""
    yield _page_update(stage, cast)
    yield _page_object(stage, cast)
    for person, minutes, lines, ending in _SCENES:
        yield _scene(stage, cast, person, stage.ago(minutes=minutes), lines, ending)


def _page_update(stage: Stage, cast: Cast) -> Story:
    """The example of the page that updates a session, shifted so that it was updated twelve minutes ago."""
    updated = stage.end - _PAGES_END[0]
    created = updated - timedelta(minutes=27, seconds=6, milliseconds=881)
    yield created
    key = "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5"
    number = _customer(stage, cast, key, "Ellen", "Ripley", "+12125550144")
    stage.ids.next_are("7cb0a876-5d34-4e03-b725-932606041626")
    session = stage.do(open_for_customer, cast["gateway"], number)
    ref = GlobalId(PREFIX, session.id)
    yield created + timedelta(milliseconds=14)
    fields = {"message_key": "4bada73e-14f2-4306-9752-51b4008251a4", "sent_at": created + timedelta(milliseconds=12)}
    stage.do(send_message, cast["tony"], ref, said("Need help?"), fields=fields)
    yield updated
    stage.ids.next_are("4891b7bb-1985-48f4-9a03-1e573041bd8a")
    changes: SessionChanges = {
        "need_attention": True,
        "tags": ["detox"],
        "topics": ["product"],
        "suggested_messages": [
            Suggestion(remote_id="26ae9dea-cd8b-449b-bbb1-cdedf3216686", content="What can I do to help?")
        ],
    }
    stage.do(update, cast["gateway"], changes, ref=ref)


def _page_object(stage: Stage, cast: Cast) -> Story:
    """The example of the page about sessions, shifted so that it was updated forty minutes ago."""
    updated = stage.end - _PAGES_END[1]
    created = updated - timedelta(hours=3, minutes=31, seconds=51, milliseconds=784)
    yield created
    number = _customer(stage, cast, "fffd7e80-1691-41f5-8946-9deeaf0b8640", "Arthur", "Dent", "+442079460958")
    stage.ids.next_are("10125e23-3ad9-46bc-a4c1-e1e8e1a79d16")
    ref = GlobalId(PREFIX, stage.do(open_for_customer, cast["gateway"], number).id)
    for minutes, text in ((1, "I sleep worse since I changed the cream"), (90, "hello?"), (185, "is anybody there")):
        yield created + timedelta(minutes=minutes)
        stage.do(receive_message, cast["gateway"], {"interaction": ref}, [said(text)])
    yield updated
    changes: SessionChanges = {"need_attention": True, "tags": ["mobile"], "topics": ["sleep", "skin+hair"]}
    stage.do(update, cast["gateway"], changes, ref=ref)


def _customer(stage: Stage, cast: Cast, key: str, first_name: str, last_name: str, phone: str) -> int:
    given = {"system": "SESSION", "customer_key": key, "first_name": first_name}
    return stage.do(
        create_customer,
        cast["gateway"],
        {**given, "last_name": last_name, "phone_number": phone},  # type: ignore[typeddict-item]
    ).id


def _scene(stage: Stage, cast: Cast, person: int, at: datetime, lines: Sequence[Line], ending: str) -> Story:
    gateway = cast["gateway"]
    yield at
    target = {"kind": "session", "customer_id": cast.customer("SESSION", person)}
    ref = GlobalId(PREFIX, stage.do(receive_message, gateway, target, [said(lines[0].text)]).interaction)
    hear, bot = hearing(stage, gateway, ref), answering(stage, gateway, ref, MessageAuthor.BOT)
    yield from talk(at + timedelta(minutes=1), timedelta(seconds=40), lines[1:], hear, bot)
    if ending:
        yield from _flagged(stage, cast, ref, ending)
    over = stage.now + stage.settings.session_window
    if over < stage.end:
        yield over
        stage.do(fire_due, 100)


def _flagged(stage: Stage, cast: Cast, ref: GlobalId, ending: str) -> Story:
    gateway, tony = cast["gateway"], cast["tony"]
    yield stage.now + timedelta(minutes=2)
    stage.do(update, gateway, {"need_attention": True, "tags": ["web"], "topics": ["delivery"]}, ref=ref)
    yield stage.now + timedelta(minutes=3)
    if ending == "claim":
        stage.do(claim, tony, ref, lease_seconds=7_200)
        stage.do(add_note, tony, ref, "Asked the warehouse, waiting for an answer.")
    elif ending == "acknowledge":
        stage.do(acknowledge, cast["femi"], ref)
    elif ending == "flag and solve":
        stage.do(claim, tony, ref)
        stage.do(send_message, tony, ref, said("I have taken care of it myself. Sorry for the trouble!"))
        stage.do(set_labels, tony, ref, ["solved", "vip"])
        stage.do(update, tony, {"need_attention": False}, ref=ref)
