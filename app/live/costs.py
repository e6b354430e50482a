"""Items that say what their subscription costs."""

from collections.abc import Sequence

import orjson

from app.execution.costs import Cost
from app.live.items import Item, Subscriber


class CostTeller:
    """A subscriber whose every item has the cost of the operation in its `extensions`.

    The items themselves are shared with listeners who did not ask, and read once for all of them."""

    __slots__ = ("_end", "_subscriber")

    def __init__(self, subscriber: Subscriber, cost: Cost) -> None:
        self._subscriber = subscriber
        self._end = f',"extensions":{orjson.dumps({"cost": cost.before()}).decode()}}}'

    @property
    def cursor(self) -> str | None:
        return self._subscriber.cursor

    async def next(self) -> Item:
        return self._told(await self._subscriber.next())

    def ready(self) -> Sequence[Item]:
        return [self._told(item) for item in self._subscriber.ready()]

    def close(self) -> None:
        self._subscriber.close()

    def _told(self, item: Item) -> Item:
        return item._replace(text=item.text[:-1] + self._end)
