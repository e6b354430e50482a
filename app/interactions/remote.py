"""The contract that reads and writes the interactions of another system."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from app.core.clock import Clock

if TYPE_CHECKING:
    from app.storage.work import Work


Settings = Mapping[str, object]
"""What a connection is set up with, beside its name and its secrets; JSON."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The interaction of a delivery or read, its key in the other system, and the address where people see it."""

    interaction_id: int
    key: str
    url: str | None = None
    again: timedelta | None = None
    """After how long it is read again, whether or not anything says that it has changed."""


class Answered(NamedTuple):
    """An answer of the other system: its status, its JSON (None if the body is not JSON), and the body."""

    status: int
    value: Any
    content: bytes = b""

    def found(self, otherwise: str = "The other system answered 404.") -> "Answered":
        """The same answer. Raises Refused with the reason `otherwise` when the status is 404."""
        if self.status == 404:
            raise Refused(otherwise, status=404)
        return self


Send = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Answered]]
"""Sends one request: its method, URL, headers and body. Raises Unanswered, and Refused for a redirect."""


class Entry(NamedTuple):
    """Where requests go, and the headers that let them in."""

    address: str
    headers: Mapping[str, str]


class Access(Protocol):
    """How requests of one connection get into its system.

    `unauthorized` are the statuses by which the system says that it does not take the connection's credential."""

    unauthorized: frozenset[int]

    def has(self, user: str) -> bool:
        """Whether the user with this login has a credential of their own."""

    async def entry(self, send: Send, user: str | None) -> Entry:
        """Where and how to enter now, as the user with this login where one is given; signs in before, if need be.

        Raises Unanswered, and Refused where that is not possible."""

    def left(self, entry: Entry, status: int) -> bool:
        """Whether a request that entered so and has this answer was not done, and is worth a second try because the
        next entry is another one."""


class Reach(Protocol):
    """How a connector reaches its system: with the connection's credential, at the rate that the system bears."""

    @property
    def settings(self) -> Settings:
        """The settings of the connection."""

    def acting_as(self, login: str) -> "Reach | None":
        """The same, with the credential of our user with this login; None for a user without one."""

    def within(self, patience: float) -> "Reach":
        """The same for writes, which come first. A request that is not its turn after so many seconds is not sent:
        Unanswered."""

    def behind(self) -> "Reach":
        """The same for history, whose requests let all others go first."""

    @property
    def now(self) -> datetime:
        """The time."""

    async def ask(self, path: str, **query: str | int) -> Answered:
        """The answer to a read. Raises Unanswered, and Refused for a status of 400 and above except 404."""

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        """The answer to a write that was done; a `slow` one has a longer timeout. Raises Unanswered and Refused."""


class Unanswered(Exception):
    """A request without a usable answer. `arrived` says that the request may have been done; `wait` is how long the
    other system asks to be left alone, in seconds. `reason` is for a person, and holds nothing that was sent."""

    def __init__(self, reason: str, *, arrived: bool, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.arrived = arrived
        self.wait = wait


class Refused(Exception):
    """A request that the other system has not done and will not do. `reason` is for a person; `unauthorized` says that
    it does not take the connection's credential, `status` is what it answered where it answered."""

    def __init__(self, reason: str, *, unauthorized: bool = False, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unauthorized = unauthorized
        self.status = status


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a list: its key, and a digest of all its listed fields; or a `hint` that it has changed."""

    key: str
    fingerprint: str


HINT = "~"
"""With this a fingerprint begins that is no digest, but says why the object is read."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the other system's list; `after` leads to the next one, `pages` is how many there are, where that is
    known. Of changes, `cursor` is from where the next poll goes on."""

    items: Sequence[Listed]
    after: str | None = None
    pages: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An object as the other system has it. `value` is the connector's own; None where it is not there any more."""

    key: str
    fingerprint: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do in the other system. `key` is the interaction's there, `confirmed` what a value was there before,
    as far as is known, `details` what the kind said of it."""

    action: str
    key: str
    value: Any
    confirmed: Any = None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is to be kept of what the connection knows already. `shared` are the slots of values that are still to be
    set there, which win until then; what is older than `live_since` is history, and nothing from before
    `forgotten_at` is taken in."""

    shared: frozenset[str]
    live_since: datetime
    forgotten_at: datetime | None


@dataclass(frozen=True, slots=True)
class Looked:
    """The keys of what looks as the task's own, the oldest first. `whole` says that everything was seen that could be
    it, so that what is not there was not made."""

    keys: Sequence[str]
    whole: bool


class Hook(NamedTuple):
    """Where a system is to send its deliveries, the secret that signs them, and what people there see it called."""

    url: str
    secret: str
    name: str


class Remote(Protocol):
    """How one system's interactions are read and written. A kind brings it with its connector.

    `creating` are the actions that must not be repeated on doubt, with those among them that not even a look makes safe
    in `costly`. After `settles` a request that was cut off is either done or will never be. `newest_first` says that
    its lists begin with what was active last. What is `mirrored_whole` goes here when a complete walk does not find it
    any more, and is read again after each write."""

    creating: frozenset[str]
    costly: frozenset[str]
    settles: timedelta
    newest_first: bool
    mirrored_whole: bool

    def checked(self, credential: str) -> str:
        """What lets the connection in, as it is kept. Raises InvalidInput, which does not repeat it, and TooLong."""

    def access(self, address: str, credential: str, clock: Clock) -> Access:
        """How requests get into the system at this address."""

    def cannot_with(self, credential: str) -> frozenset[str]:
        """The commands that the system cannot do for a connection with this credential."""

    async def changes(self, reach: Reach, cursor: str | None, at: str | None) -> ListPage:
        """A page of what has changed since the latest poll, which gave the cursor; the first one without `at`."""

    async def list_page(self, reach: Reach, at: str | None) -> ListPage:
        """A page of all of the system's objects; the first one without `at`."""

    async def read(self, reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
        """One object with all that is needed to apply it: its messages back to one whose key is `known`."""

    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        """Bring our interaction to what was read; None where nothing of it is taken in. A repeat changes nothing.

        Raises Unmappable, and DomainError for what the rules refuse."""

    async def tend(self, reach: Reach, hook: Hook, *, first: bool) -> bool:
        """Have the system send deliveries of what changes, where it does; whether some may have been lost until now.

        `first` says that this process has not asked for it before. Raises Unanswered and Refused."""

    async def send(self, reach: Reach, task: Task) -> str | None:
        """Do one task; the key that the system gave to the created object. Raises Unanswered and Refused."""

    async def look(self, reach: Reach, task: Task) -> "Looked":
        """Whether the system has the object that the task was to create. Raises Unanswered and Refused."""
