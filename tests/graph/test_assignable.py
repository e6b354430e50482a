"""Who may take an interaction is who is not forbidden to claim it."""

from collections.abc import AsyncIterator

import pytest

from app.core.actor import Actor
from tests.graph.filled import Filled, fill
from tests.graph.running import running_graph

pytestmark = pytest.mark.anyio

QUERY = """query($id: ID!) { interaction(id: $id) { assignableUsers(first: 100) { nodes { id presence { present } } }
  present: assignableUsers(present: true) { nodes { id } } found: assignableUsers(search: "BO") { nodes { id } } } }"""


@pytest.fixture(scope="module")
async def changing(changing_url: str) -> AsyncIterator[Filled]:
    async with running_graph(changing_url) as graph:
        yield await fill(graph)


async def claimed_by(filled: Filled, ref: str, actor: Actor) -> bool:
    """Whether the rules let the user claim the free interaction; it is free again afterwards."""
    refused = (await filled.graph.attempt("claimInteraction", {"id": ref}, actor=actor))["errors"]
    if refused:
        assert refused[0]["code"] in ("FORBIDDEN", "NOT_FOUND"), refused
        return False
    await filled.graph.do("releaseInteraction", {"id": ref}, actor=filled.people.admin)
    return True


async def test_assignable_users_are_those_who_may_claim(changing: Filled) -> None:
    graph, admin = changing.graph, changing.people.admin
    members = "{ chatTopics { nodes { id members { nodes { user { id } canRespond } } } } }"
    topics = (await graph.read(members))["chatTopics"]["nodes"]
    assert any(each["canRespond"] for topic in topics for each in topic["members"]["nodes"])
    for ref in (changing.sessions[1], changing.agent_sessions[1], changing.conversations[1], changing.chats[1]):
        await graph.do("assignInteraction", {"id": ref, "userId": None}, actor=admin)
        found = (await graph.read(QUERY, id=ref))["interaction"]
        users = {each["id"] for each in found["assignableUsers"]["nodes"]}
        may = {f"usr_{actor.user_id}" for actor in changing.actors if await claimed_by(changing, ref, actor)}
        assert users == may, ref
        assert "usr_1" in users
        there = {each["id"] for each in found["assignableUsers"]["nodes"] if each["presence"]["present"]}
        assert {each["id"] for each in found["present"]["nodes"]} == there
        assert {each["id"] for each in found["found"]["nodes"]} == users & {"usr_2"}
    assert (await graph.read(QUERY, changing.people.actors["eve"], id=changing.chats[1])) == {"interaction": None}
