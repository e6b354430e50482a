"""What everybody sees of four interactions, compared with the reference: the graph, its events, the REST contracts."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from app.core.actor import Actor
from app.core.ids import GlobalId
from tests.kinds.conftest import ADA, BO
from tests.waiting.contracts import Contracts, path_of
from tests.waiting.floor import EVE, Floor
from tests.waiting.story import Story

CAN = "viewerCan { reply replyBlockedBy claim }"
READ = f"""query($id: ID!) {{ interaction(id: $id) {{
  state botActive
  waitingSince unansweredMessagesCount unreadCustomerMessagesCount assignee {{ id }}
  attention {{ needed reason reasons level claimedUntil }} {CAN}
}} }}"""
VIEWER = f"query($id: ID!) {{ interaction(id: $id) {{ {CAN} }} }}"
QUEUE = """query($after: String!) {
  attentionQueue(first: 100) { totalCount edges { node { id } } }
  attentionSummary(groupBy: KIND) { count }
  events(after: $after, first: 100) { cursor hasMore events { topic interaction { id } levelAfter } }
}"""


def seconds(moment: datetime | None) -> str | None:
    """A moment as far as its seconds."""
    return None if moment is None else moment.isoformat()[:19]


def user(number: int | None) -> Any:
    return None if number is None else {"id": f"usr_{number}"}


class Views(RuleBasedStateMachine):
    """Four interactions, one of each kind, and what is seen of them after every step."""

    floor: Floor
    loop: asyncio.AbstractEventLoop
    contracts: Contracts
    stories: dict[str, Story]
    refs: dict[str, GlobalId]
    keys: dict[str, Mapping[str, Any]]
    levels: dict[str, str | None]
    cursor: str

    @property
    def now(self) -> datetime:
        return self.floor.clock.now

    def wait(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def run(self, f: Any, /, *args: Any, **given: Any) -> Any:
        return self.wait(self.floor.do(f, *args, **given))

    def graph(self, document: str, actor: Actor = BO, /, **variables: Any) -> Any:
        return self.wait(self.floor.graph.read(document, actor, **variables))

    @invariant()
    def views_agree(self) -> None:
        for kind, story in self.stories.items():
            self._graph_agrees(kind, story)
            getattr(self, f"_{kind}_agrees")(story, path_of(kind, self.keys[kind]))
            story.seen_closed = kind == "session" and not story.is_open(self.now)
        self._queue_and_events_agree()

    def _graph_agrees(self, kind: str, story: Story) -> None:
        found = self.graph(READ, id=str(self.refs[kind]))["interaction"]
        unanswered = story.unanswered()
        reasons, chief = story.reasons(self.now), story.chief(self.now)
        assert (found["waitingSince"] or "")[:19] == (seconds(unanswered[0].arrived) if unanswered else ""), kind
        assert found["unansweredMessagesCount"] == len(unanswered), kind
        assert found["unreadCustomerMessagesCount"] == story.unread(), kind
        assert found["assignee"] == user(story.holder), kind
        assert found["botActive"] == story.bot, kind
        assert (found["state"] == "OPEN") is story.is_open(self.now), kind
        attention = found["attention"]
        assert set(attention["reasons"]) == set(reasons), kind
        assert (attention["needed"], attention["reason"]) == (chief is not None, chief), kind
        assert attention["level"] == (None if chief is None else reasons[chief]), kind
        assert (attention["claimedUntil"] or "")[:19] == (seconds(story.leased_until()) or ""), kind
        self._viewer_agrees(kind, story, BO, found["viewerCan"])
        if story.may_work(EVE.user_id) or not story.gone | story.powerless:
            self._viewer_agrees(
                kind, story, EVE, self.graph(VIEWER, EVE, id=str(self.refs[kind]))["interaction"]["viewerCan"]
            )

    def _viewer_agrees(self, kind: str, story: Story, actor: Actor, can: Mapping[str, Any]) -> None:
        block = story.reply_blocked(actor.user_id, self.now)
        expected = {
            "reply": block is None,
            "replyBlockedBy": block,
            "claim": story.may_claim(actor.user_id, self.now),
        }
        assert can == expected, (kind, actor.name)

    # ---- the contracts

    def _session_agrees(self, story: Story, path: str) -> None:
        found = self.wait(self.contracts.get(path))
        assert found["need_attention"] is story.asked
        roles = {"CUSTOMER": "end-user", "USER": "agent", "BOT": "bot"}
        assert sorted(each["sender_role"] for each in found["messages"]) == sorted(
            roles[said.author] for said in story.messages
        )
        current = self.wait(self.contracts.get(f"{path.rpartition('/')[0]}/current", missing=True))
        assert current == (found if story.is_open(self.now) else None)

    def _agent_session_agrees(self, story: Story, path: str) -> None:
        found = self.wait(self.contracts.get(path))
        assert found["enabled"] is not story.closed
        assert ("resolution_status" in found["metadata"]) is story.asked
        events = self.wait(self.contracts.get(f"{path}/events?limit=100"))["events"]
        assert sorted(each["type"] for each in events) == sorted(
            "input_message" if said.author == "CUSTOMER" else "agent_output" for said in story.messages
        )

    def _chat_session_agrees(self, story: Story, path: str) -> None:
        found = self.wait(self.contracts.get(path))
        assert found["Status"] == story.chat_status()
        assert found["ChatbotIsActive"] is story.bot
        logins = {None: None, BO.user_id: "bo", EVE.user_id: "eve"}
        held = [None if found[name] is None else found[name]["Name"] for name in ("User", "TransferTo")]
        assert held == [logins[story.holder], logins[story.offered_to]]
        types = {"ToUser": "CUSTOMER", "ToCustomer": "USER"}
        said = self.wait(self.contracts.get(f"{path}/Messages"))
        words = [each for each in said if each["SpecialType"] in ("None", "BotMessage") and each["Type"] in types]
        assert len(words) == len(story.messages)

    def _conversation_agrees(self, story: Story, path: str) -> None:
        found = self.wait(self.contracts.get(path))["data"]
        assert found["status"] == ("done" if story.closed else story.status)
        assert found.get("user", {}).get("id") == story.holder
        assert found["unread_customer_messages_count"] == story.unread()
        assert found["snooze_until"] == _z(story.snoozed_until)
        assert found["reply_until"] == _z(story.reply_until())
        assert found["reply_possible"] is (story.reply_blocked(0, self.now) in (None, "HELD_BY_OTHER"))
        assert found["customer_interaction_required"] is (story.announced is not None)
        said = self.wait(self.contracts.get(f"{path}/messages?per_page=500"))["data"]
        assert {each["id"]: each["status"] == "error" for each in said} == {
            each.key: each.status == "ERROR" for each in story.messages
        }

    # ---- lists and events

    def _queue_and_events_agree(self) -> None:
        expected = {
            str(self.refs[kind]): None if (chief := story.chief(self.now)) is None else story.reasons(self.now)[chief]
            for kind, story in self.stories.items()
        }
        more = True
        while more:
            found = self.graph(QUEUE, ADA, after=self.cursor)
            for event in found["events"]["events"]:
                ref = (event["interaction"] or {}).get("id")
                if ref in self.levels and event["topic"].startswith("ATTENTION_"):
                    self.levels[ref] = event["levelAfter"]
            self.cursor, more = found["events"]["cursor"], found["events"]["hasMore"]
        assert self.levels == expected
        queue = found["attentionQueue"]
        listed = {edge["node"]["id"] for edge in queue["edges"]}
        assert listed == {ref for ref, level in expected.items() if level is not None}
        assert found["attentionSummary"]["count"] == queue["totalCount"] == len(listed)


def _z(moment: datetime | None) -> str | None:
    return None if moment is None else f"{seconds(moment)}Z"
