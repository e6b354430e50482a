"""The demo's two Switchboards: what happens in the one is told to the other, which does not have to look for it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.connections.model.settings import with_signature
from app.demo.webhooks import webhook
from app.registry import CONNECTORS
from tests.command_line import ROOT
from tests.saying import PATIENCE, wait_for

_SELDOM = 3_600.0
_LISTED = """
query($kinds: [InteractionKind!]) {
  connections { nodes { name state } }
  interactions(filter: {kinds: $kinds}, first: 100) { nodes { id kind upstream { key }
    ... on Conversation { conversationId }
    ... on ChatSession { chatSessionId }
    ... on AgentSession { agentKey agentSessionKey }
    ... on Session { sessionKey customer { customerKey } }
    messages(last: 3) { nodes { text } } } }
}
"""


class Graph(NamedTuple):
    """One of the two, as its clients see it."""

    address: str
    key: str

    def ask(self, query: str, **variables: object) -> Any:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address, body, headers), timeout=PATIENCE) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]

    def nodes(self, *kinds: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.ask(_LISTED, kinds=list(kinds))["interactions"]["nodes"]
        return found


class Both(NamedTuple):
    here: Graph
    there: Graph


def _two_free_ports() -> int:
    """The first of two ports in a row that nobody has."""
    for _ in range(100):
        with closing(socket.create_server(("127.0.0.1", 0))) as first:
            number: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", number + 1)).close()
            except OSError:
                continue
        return number
    raise AssertionError("there are no two ports in a row")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("attached")
    said, port = folder / "said", _two_free_ports()
    command = [sys.executable, "-m", "app.demo.attached", "--port", str(port), "--poll-seconds", str(_SELDOM)]
    with said.open("wb") as file:
        demo = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=file, stderr=file)
    try:
        found = wait_for(r"systems: (\S+)#key=(\S+)\nAttached to them: +(\S+)#key=(\S+)", said, demo)
        yield Both(here=Graph(found[3], found[4]), there=Graph(found[1], found[2]))
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(PATIENCE)


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.1)


def _key(node: Mapping[str, Any]) -> str:
    """The key by which the other knows it."""
    match node:
        case {"conversationId": number} | {"chatSessionId": number}:
            return str(number)
        case {"agentKey": agent, "agentSessionKey": session}:
            return f"{agent}/{session}"
    return f"{node['customer']['customerKey']}/{node['sessionKey']}"


def test_demo_tells_of_what_happens_before_it_is_looked_for(both: Both) -> None:
    def connected() -> bool:
        states = {each["name"]: each["state"] for each in both.here.ask(_LISTED)["connections"]["nodes"]}
        return states == dict.fromkeys(("Bot", "Office", "Agents", "Lemon"), "CONNECTED")

    _until(connected)
    # The next polls and walks are due in an hour.
    for kind in ("CONVERSATION", "CHAT_SESSION", "AGENT_SESSION", "SESSION"):
        (node, *_) = both.there.nodes(kind)
        text = f"Is that {kind} alive?"
        given = {"target": {"interactionId": node["id"]}, "contents": [{"text": {"content": text}}]}
        mutation = "mutation($input: ReceiveMessageInput!) { receiveMessage(input: $input) { errors { message } } }"
        assert both.there.ask(mutation, input=given)["receiveMessage"]["errors"] == []
        _until(partial(_has, both.here, kind, _key(node), text))
    told = both.here.ask("{ connections { nodes { lastDeliveryAt parked } } }")["connections"]["nodes"]
    assert [(each["lastDeliveryAt"] is not None, each["parked"]) for each in told] == [(True, 0)] * 4


def _has(graph: Graph, kind: str, key: str, text: str) -> bool:
    found = [each for each in graph.nodes(kind) if each["upstream"] is not None and each["upstream"]["key"] == key]
    return any(message["text"] == text for each in found for message in each["messages"]["nodes"])


@pytest.mark.parametrize(
    ("system", "key"), [("VOICEBOT", "7"), ("SUPEROFFICE", "7"), ("VECTARA", "a-1/s-1"), ("DIRTY_LEMON", "c-1/s-1")]
)
def test_webhooks_of_the_demo_are_signed_as_each_system_signs_them(system: str, key: str) -> None:
    body, headers = webhook(system, key, "secret")
    signature = CONNECTORS[system].signature
    assert signature.is_made_with("secret", with_signature({}, headers), body.decode())
    assert not signature.is_made_with("another", with_signature({}, headers), body.decode())
