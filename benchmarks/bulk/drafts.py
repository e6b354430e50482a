"""An interaction of a bulk load before it is one: when it begins, how it ends, who talks, for how long."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from random import Random

from benchmarks.bulk.scripts import MOST_LINES, Script, any_script
from benchmarks.bulk.staff import HISTORY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KINDS = ("session", "agent_session", "chat_session", "conversation")
"""They take turns, so a quarter of a load is of each kind."""

_SPREAD = 3.3
"""Makes the numbers of messages, from 1 to 40, ten on average."""

_RECENT = 0.9
_NEEDED = {True: 0.35, False: 0.015}
_OPEN = {True: 0.55, False: 0.17}


class Wish(Enum):
    """How an interaction is meant to stand; what it then is, its kind's rules say."""

    CLOSED = auto()
    OPEN = auto()
    NEEDED = auto()


@dataclass(slots=True)
class Draft:
    """`number` counts the kind's interactions of the load from 0. Times are microseconds since 1970."""

    id: int
    number: int
    kind: str
    wish: Wish
    script: Script
    length: int
    begins: int
    ends: int
    luck: float
    channel_key: str
    first_message: int = 0
    answered: int = 0
    last: int = 0
    latest: int = 0
    latest_of_customer: int | None = None
    unread: int = 0

    @property
    def created_at(self) -> datetime:
        return moment(self.begins)

    @property
    def last_at(self) -> datetime:
        return moment(self.last)

    @property
    def waits(self) -> bool:
        """Whether the last word is the customer's."""
        return self.script.waiting[self.length] > 0


def moment(microseconds: int) -> datetime:
    """The time so many microseconds after 1970 began."""
    return EPOCH + timedelta(microseconds=microseconds)


def draft(place: int, count: int, first_id: int, now: datetime, random: Random) -> Draft:
    """What becomes of the interaction at this place of the load: the later, the nearer to now and the livelier."""
    ends = (now - EPOCH) // MICROSECOND
    age = ((count - place - 0.5) / count) ** 2
    begins = ends - int(age * (HISTORY / MICROSECOND))
    recent = place >= count * _RECENT
    chance = random.random()
    wish = Wish.NEEDED if chance < _NEEDED[recent] else Wish.OPEN if chance < _OPEN[recent] else Wish.CLOSED
    script = any_script(random)
    length = 1 + int(MOST_LINES * random.random() ** _SPREAD)
    if wish is Wish.NEEDED:
        length = script.with_customer_last[length]
    elif wish is Wish.OPEN:
        length = script.with_us_last[length]
    return Draft(
        id=first_id + place,
        number=place // len(KINDS),
        kind=KINDS[place % len(KINDS)],
        wish=wish,
        script=script,
        length=length,
        begins=begins,
        ends=ends,
        luck=random.random(),
        channel_key=KINDS[place % len(KINDS)],
    )
