"""The two servers of a run, as a client sees them: what is made there, and what each of them has."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.graph.running import mutation_text
from tests.soak.clients import Caller
from tests.soak.connections.notes import ASKED, Node
from tests.soak.connections.systems import CUSTOMERS, OFFERED, Bea, System, hears
from tests.soak.processes import KEY

_GIVES = {
    "createCustomer": "customer { id }",
    "createChannelAgent": "channelAgent { id }",
    "createChatTopic": "chatTopic { topicId }",
    "createAgentSession": "agentSession { id }",
    "requestChatSession": "chatSession { id }",
    "receiveMessage": "message { id interaction { id } }",
    "createConnection": "connection { id hookPath } secret",
    "createUser": "user { id }",
    "createApiKey": "secret",
}
_AGENT = "support"


@dataclass
class Side:
    """One of them. `port` is that of one of its processes."""

    ports: Sequence[int]
    choose: random.Random
    bea: Bea | None = None

    async def do(self, mutation: str, given: Mapping[str, Any]) -> Any:
        """The mutation's payload; Bea answers offers. Raises what `Caller.call` does."""
        key = self.bea.key if self.bea is not None and mutation in OFFERED else KEY
        caller = Caller(self.choose.choice(self.ports), key)
        try:
            document = mutation_text(mutation, _GIVES.get(mutation, ""))
            payload = (await caller.call(document, input=given))[mutation]
        finally:
            caller.close()
        return payload

    async def made(self, mutation: str, **given: Any) -> Any:
        """The payload of a mutation that has to be done."""
        payload = await self.do(mutation, given)
        if payload["errors"]:
            raise RuntimeError(f"{mutation}: {payload['errors']}")
        return payload

    async def let_in(self, name: str) -> None:
        """Make Bea, to whom chats are offered."""
        permissions = ["CHAT_SESSION_READ", "CHAT_SESSION_WRITE"]
        made = await self.made("createUser", login=name.lower(), name=name, permissions=permissions)
        ref = made["user"]["id"]
        await self.made("setPresence", userId=ref, present=True)
        key = await self.made("createApiKey", name="soak", userId=ref)
        self.bea = Bea(ref, key["secret"])

    async def interactions(self, system: System, more: str = "") -> list[Node]:
        """The interactions of the system's kind, each with all its messages."""
        fields = " ".join((*system.fields, ASKED) if system.noted else system.fields)
        message = " ".join(("id", "text", "author", "status", *system.message))
        filters = f"first: 20, after: $after, filter: {{kinds: [{system.kind}]}}"
        document = f"""query($after: String) {{ interactions({filters}) {{
          pageInfo {{ hasNextPage endCursor }}
          nodes {{ id state attention {{ needed reasons }} {more}
            messages(first: 100) {{ nodes {{ {message} }} pageInfo {{ hasNextPage }} }}
            ... on {_TYPES[system.kind]} {{ {fields} }} }} }} }}"""
        found: list[Node] = []
        caller, after = Caller(self.choose.choice(self.ports)), None
        try:
            while True:
                page = (await caller.call(document, after=after))["interactions"]
                found += page["nodes"]
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]:
                    return found
        finally:
            caller.close()


_TYPES = {"CONVERSATION": "Conversation", "CHAT_SESSION": "ChatSession"}
_TYPES |= {"AGENT_SESSION": "AgentSession", "SESSION": "Session"}


class Openings:
    """Makes interactions of each system there."""

    def __init__(self, there: Side) -> None:
        self._there = there
        self._made = 0
        self._account = ""
        self._topic = 0
        self._customers: list[str] = []

    async def prepare(self) -> None:
        """Make what they need."""
        made = self._there.made
        account = await made("createChannelAgent", channel="WHATSAPP", displayId="+49151000", name="Shop")
        self._account = account["channelAgent"]["id"]
        self._topic = (await made("createChatTopic", name="Sales"))["chatTopic"]["topicId"]
        await made("createAiAgent", name="Support", agentKey=_AGENT)
        for number, key in enumerate(CUSTOMERS):
            new = {"system": "SESSION", "customerKey": key, "phoneNumber": f"+4915100{number:04}"}
            customer = await made("createCustomer", **new, firstName=f"Ana {number}")
            self._customers.append(customer["customer"]["id"])

    async def open(self, system: System, said: str) -> str | None:
        """Another one in which the customer has said this; None where there can be no more."""
        self._made += 1
        made, number = self._there.made, self._made
        match system.kind:
            case "CHAT_SESSION":
                asked = await made("requestChatSession", topicId=self._topic, customerName=f"Ana {number}")
                return await self._heard(asked["chatSession"]["id"], said)
            case "AGENT_SESSION":
                opened = await made("createAgentSession", agentKey=_AGENT, name=f"Session {number}")
                return await self._heard(opened["agentSession"]["id"], said)
            case "CONVERSATION":
                new = {"system": system.kind, "channel": "WHATSAPP", "displayId": f"+4916{number:06}"}
                customer = (await made("createCustomer", **new, name=f"Ana {number}"))["customer"]["id"]
                target = {"kind": system.kind, "customerId": customer, "channelAgentId": self._account}
            case _:
                if not self._customers:
                    return None
                target = {"kind": system.kind, "customerId": self._customers.pop()}
        given = {"target": {"customer": target}, "contents": [{"text": {"content": said}}]}
        return str((await made("receiveMessage", **given))["message"]["interaction"]["id"])

    async def _heard(self, ref: str, said: str) -> str:
        mutation, given = hears({"id": ref}, said, self._there.choose)
        await self._there.made(mutation, **given)
        return ref
