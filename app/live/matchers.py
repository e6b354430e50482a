"""All distinct filters of a process's subscriptions, found by what events have."""

from collections.abc import Collection, Hashable, Iterator

import structlog

from app.feed import Entry
from app.feed.stream import ValuesOf
from app.live.channel import Channel, Matcher
from app.live.index import Index

log = structlog.get_logger(__name__)

NOT_TAKEN = "a subscription cannot take an event"


class Matchers:
    """An event is held against the filters that it may concern, each once, however many subscriptions have it."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Matcher] = {}
        self._indexes: dict[ValuesOf, Index[Matcher]] = {}

    def add(self, channel: Channel) -> None:
        """Let the channel share the matcher that equals its own, if there is one."""
        matcher = self._by_key.setdefault(channel.matcher.key, channel.matcher)
        if not matcher.channels:
            self._indexes.setdefault(matcher.values_of, Index(matcher.values_of)).add(matcher, matcher.keys)
        channel.matcher = matcher
        matcher.channels[channel] = None

    def remove(self, channel: Channel) -> None:
        """Forget a channel that was added, and its matcher after the last one that shares it."""
        matcher = channel.matcher
        matcher.channels.pop(channel, None)
        if not matcher.channels and self._by_key.get(matcher.key) is matcher:
            del self._by_key[matcher.key]
            self._indexes[matcher.values_of].remove(matcher, matcher.keys)

    def clear(self) -> None:
        """Forget all channels."""
        self._by_key.clear()
        self._indexes.clear()

    def matching(self, entry: Entry) -> Iterator[tuple[str, Collection[Channel]]]:
        """As what the event is sent, and the channels of one matcher that it is sent to. A matcher that fails harms no
        other."""
        for index in self._indexes.values():
            try:
                concerned = index.concerned(entry)
            except Exception:
                log.exception(NOT_TAKEN)
                continue
            for matcher in concerned:
                try:
                    as_what = matcher.match(entry)
                except Exception:
                    log.exception(NOT_TAKEN)
                    continue
                if as_what is not None:
                    yield as_what, matcher.channels
