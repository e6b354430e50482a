"""A system of somebody's own that hands in signed deliveries: some are lost at first, some come twice, all in order."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from standardwebhooks import Webhook

from tests.soak.clients import BROKEN, Refused
from tests.soak.connections.hooks import post
from tests.soak.connections.notes import Node
from tests.soak.connections.sides import Side
from tests.soak.connections.systems import SYSTEMS, says

NAME = "Source"
CUSTOMERS = ("s-1", "s-2", "s-3")
_LABELS = ("vip", "late", "refund")
_BETWEEN = (0.2, 1.0)
_AGAIN = 0.5
_LOST, _DOUBLED = 0.2, 0.2
_LIMIT_SECONDS = 90.0
_STATUSES = ("DELIVERED", "READ", "ERROR")
(_CONVERSATIONS,) = (each for each in SYSTEMS if each.kind == "CONVERSATION")


@dataclass
class Source:
    """The deliveries of one connection, at `path` and signed with its `secret`, and what has to be here of them."""

    here: Side
    path: str
    secret: str
    choose: random.Random
    rude: bool = True
    said: dict[str, list[str]] = field(default_factory=lambda: {each: [] for each in CUSTOMERS})
    labels: dict[str, set[str]] = field(default_factory=lambda: {each: set() for each in CUSTOMERS})
    answered: list[str] = field(default_factory=list)
    reported: dict[str, str] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def run(self, until: float) -> None:
        """Hand in until then, and have users answer here; afterwards everything was taken."""
        async with asyncio.TaskGroup() as group:
            for customer in CUSTOMERS:
                group.create_task(self._of(customer, until))
            group.create_task(self._answer(until))
        for node in await self._nodes():
            await self._report(node)

    async def _of(self, customer: str, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.choose.uniform(*_BETWEEN))
            body: dict[str, Any] = {"customer": {"key": customer, "name": f"Ana {customer}"}}
            text = f"{NAME} {customer} {len(self.said[customer])}"
            author = self.choose.choice(("CUSTOMER", "CUSTOMER", "BOT"))
            at = datetime.now(UTC).isoformat()
            body["messages"] = [{"key": text, "author": author, "sent_at": at, "text": text}]
            label, adds = self.choose.choice(_LABELS), self.choose.random() < 0.5
            body["labels"] = {"add" if adds else "remove": [label]}
            await self._deliver(body)
            self.said[customer].append(text)
            (self.labels[customer].add if adds else self.labels[customer].discard)(label)

    async def _answer(self, until: float) -> None:
        """Users answer, and the source says what became of it."""
        while time.monotonic() < until:
            await asyncio.sleep(self.choose.uniform(*_BETWEEN))
            with suppress(*BROKEN, Refused):
                nodes = await self._nodes()
                if nodes:
                    node = self.choose.choice(nodes)
                    text = f"{NAME} answers {len(self.answered)} with {self.sent.total()}"
                    mutation, given = says(node, text, self.choose)
                    if not (await self.here.do(mutation, given))["errors"]:
                        self.answered.append(text)
                    await self._report(node)

    async def _report(self, node: Node) -> None:
        statuses = []
        for each in node["messages"]["nodes"]:
            if each["author"] == "USER" and each["id"] not in self.reported:
                self.reported[each["id"]] = self.choose.choice(_STATUSES)
                statuses.append({"id": each["id"], "status": self.reported[each["id"]]})
        if statuses:
            await self._deliver({"customer": {"key": node["upstream"]["key"]}, "statuses": statuses})

    async def _deliver(self, body: Mapping[str, Any]) -> None:
        """Send until it is taken, as senders of webhooks do, and now and then once more."""
        self.sent["new"] += 1
        key, content = f"evt-{self.sent['new']}", orjson.dumps(body)
        ends = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < ends:
            if self.rude and self.choose.random() < _LOST:
                self.sent["lost"] += 1
            else:
                with suppress(*BROKEN):
                    if await self._try(key, content) == 200:
                        if self.rude and self.choose.random() < _DOUBLED:
                            self.sent["doubled"] += 1
                            await self._try(key, content)
                        return
            await asyncio.sleep(_AGAIN)
        self.faults.append(f"{NAME}: {key} was not taken")

    async def _try(self, key: str, content: bytes) -> int:
        at = datetime.now(UTC)
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(key, at, content.decode()),
        }
        async with asyncio.timeout(5.0):
            return await post(self.choose.choice(self.here.ports), self.path, content, headers)

    async def _nodes(self) -> list[Node]:
        """Its conversations that are here."""
        found = await self.here.interactions(_CONVERSATIONS, "labels upstream { name key }")
        return [each for each in found if each["upstream"] is not None and each["upstream"]["name"] == NAME]

    async def differing(self) -> list[str]:
        """What is not here as it was handed in."""
        return [*self.faults, *self._differences({each["upstream"]["key"]: each for each in await self._nodes()})]

    def _differences(self, nodes: Mapping[str, Node]) -> Iterator[str]:
        for customer, texts in self.said.items():
            node = nodes.get(customer)
            if node is None:
                yield from [f"{NAME}: {customer} is not here"] if texts else []
                continue
            messages: Sequence[Node] = node["messages"]["nodes"]
            found = [each["text"] for each in messages if each["author"] != "USER"]
            if found != texts[: len(found)] or (len(found) != len(texts) and len(messages) < 100):
                yield f"{NAME}: {customer}: {found} are here, and {texts} were handed in"
            if set(node["labels"]) != self.labels[customer]:
                yield f"{NAME}: {customer}: {node['labels']} are here, and not {self.labels[customer]}"
            for each in messages:
                if each["author"] == "USER" and each["status"] != self.reported.get(each["id"]):
                    yield f"{NAME}: {each['text']!r} is {each['status']}, and not {self.reported.get(each['id'])}"
