"""Tails the event log: delivers each committed event once, in order."""

from app.feed.entry import Entry, Page
from app.feed.stream import EventStream, SnapshotStream, Stream
from app.feed.tail import NOT_READABLE, Feed, Listener
from app.feed.waiting import Waiting
from app.feed.wakeup import Wakeups, wakeups_for

__all__ = [
    "NOT_READABLE",
    "Entry",
    "EventStream",
    "Feed",
    "Listener",
    "Page",
    "SnapshotStream",
    "Stream",
    "Waiting",
    "Wakeups",
    "wakeups_for",
]
