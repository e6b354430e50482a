"""The declarations of root fields of Subscription, which slices write."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.sight import Viewer
from app.feed.entry import Entry
from app.selection.mapping import Permissions

Match = Callable[[Entry], str | None]
"""Whether an event is sent, and as what (`ENTERED`); None when it is not."""

Key = tuple[str, object]
"""The name of something that events tell, and a value of it."""

ValuesOf = Callable[[Entry, str], Collection[object]]
"""What an event tells by a name."""

Row = Mapping[str, object]

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventStream:
    """A field that sends events of the log, each as an object of `type` that is made of `row(entry, as_what)`.

    `match(viewer, arguments)` gives the condition of one subscription; it raises DomainError, its path relative to
    the arguments, for what cannot be listened to. A durable stream has an argument `after` and misses nothing; any
    other leaves out what came while its listener could not keep up. `watches(permissions, arguments)` is what others
    are told the listener looks at; None for nothing. `of_caller(arguments, user)` gives the arguments with the
    surrogate of the listener's user where `match` depends on it, for listeners of equal arguments share what they get.

    `keys(arguments)` are pairs of a name and a value, such that `values_of(entry, name)` of an event that matches has
    the value of at least one of them, so that not every subscription has to be asked about every event; None where
    there are none such. The names are the stream's own."""

    type: str
    match: Callable[[Viewer, Arguments], Match]
    row: Callable[[Entry, str], Row]
    durable: bool = True
    of_caller: Callable[[Arguments, int], Arguments] = lambda arguments, _user: arguments
    watches: Callable[[Permissions, Arguments], Hashable | None] = lambda _permissions, _arguments: None
    keys: Callable[[Arguments], Collection[Key] | None] = lambda _arguments: None
    values_of: ValuesOf = lambda _entry, _name: ()


@dataclass(frozen=True, slots=True)
class SnapshotStream:
    """A field that sends what the root field `root` of Query answers to the same arguments: at once, and again, at most
    a few times a second, after events that concern it."""

    root: str
    concerns: Callable[[Viewer, Entry], bool]


Stream = EventStream | SnapshotStream
