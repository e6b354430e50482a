"""Teams: who is in them, what belongs to them, and how an interaction gets its team."""

from typing import Any

import pytest

from app.core.actor import Actor, permission_name
from app.directory import service
from tests.graph.exchanges import text
from tests.graph.running import ADMIN, Graph
from tests.graph.state import picture_of, rows_of, unchanged

pytestmark = pytest.mark.anyio

MANAGER = Actor(user_id=1, name="Manager", permissions=frozenset({"teams:manage"}))
TEAM = "team { id name labels accountIds version members { nodes { id } } }"


async def conversations(graph: Graph) -> tuple[str, str]:
    """Two channel agents, and the id of a conversation with each."""
    await graph.database.command(service.bootstrap, None)
    found = []
    for number in (1, 2):
        await graph.do("createChannelAgent", {"channel": "WIDGET", "displayId": f"w-{number}", "name": "Shop"})
        given = {"system": "CONVERSATION", "channel": "WIDGET", "displayId": f"v-{number}"}
        await graph.do("createCustomer", given)
        found.append(await opened(graph, number))
    return found[0], found[1]


async def opened(graph: Graph, number: int) -> str:
    """The id of the conversation that a message of the customer opens, or goes to."""
    target = {"customer": {"kind": "CONVERSATION", "customerId": f"cus_{number}", "channelAgentId": f"cha_{number}"}}
    made = await graph.do("receiveMessage", {"target": target, "contents": [text("x")]}, "interaction { id }")
    ref: str = made["interaction"]["id"]
    return ref


async def team_of(graph: Graph, ref: str) -> str | None:
    found = (await graph.read("query($id: ID!) { interaction(id: $id) { team { id } } }", id=ref))["interaction"]
    return found["team"] and str(found["team"]["id"])


async def refused(graph: Graph, mutation: str, given: dict[str, Any], actor: Actor = ADMIN) -> tuple[str, list[str]]:
    """The code of a refusal that changes nothing, and its path in the input."""
    before = await picture_of(graph.database)
    (error,) = (await graph.attempt(mutation, given, actor=actor))["errors"]
    await unchanged(graph.database, before)
    assert error["path"][0] == "input"
    return error["code"], error["path"][1:]


async def test_team_is_what_it_was_made_and_changed_to(graph: Graph) -> None:
    await conversations(graph)
    await graph.do("createUser", {"name": "Bo", "login": "bo"})
    given = {"name": "Ärger", "memberIds": ["usr_2", "usr_1", "usr_2"], "accountIds": ["cha_1"], "labels": ["a", "b"]}
    made = (await graph.do("createTeam", given, TEAM, MANAGER))["team"]
    members = {"nodes": [{"id": "usr_1"}, {"id": "usr_2"}]}
    first = {"id": "tea_1", "name": "Ärger", "labels": ["a", "b"], "accountIds": ["cha_1"], "version": 1}
    assert made == {**first, "members": members}
    changed = await graph.do("updateTeam", {"id": "tea_1", "memberIds": ["usr_2"], "labels": []}, TEAM, MANAGER)
    second = {**first, "labels": [], "version": 2, "members": {"nodes": [{"id": "usr_2"}]}}
    assert changed["team"] == second
    logged = len((await rows_of(graph.database))["event_log"])
    same = {"id": "tea_1", "memberIds": ["usr_2"], "labels": [], "name": "Ärger"}
    assert (await graph.do("updateTeam", same, TEAM))["team"] == second
    assert len((await rows_of(graph.database))["event_log"]) == logged
    assert await graph.read('{ user(id: "usr_2") { teams { nodes { name } totalCount } } teams { nodes { id } } }') == {
        "user": {"teams": {"nodes": [{"name": "Ärger"}], "totalCount": 1}},
        "teams": {"nodes": [{"id": "tea_1"}]},
    }


async def test_team_that_cannot_be_is_refused(graph: Graph) -> None:
    await conversations(graph)
    await graph.do("createTeam", {"name": "Ärger", "accountIds": ["cha_1"], "labels": ["a"]})
    await graph.do("createTeam", {"name": "Other"})
    new = {"name": "New"}
    for given, expected in (
        ({"name": "arger"}, ("ALREADY_EXISTS", ["name"])),
        ({"name": " "}, ("INVALID_INPUT", ["name"])),
        ({**new, "labels": ["b", "a"]}, ("ALREADY_EXISTS", ["labels", "1"])),
        ({**new, "accountIds": ["cha_1"]}, ("ALREADY_EXISTS", ["accountIds", "0"])),
        ({**new, "accountIds": ["cus_1"]}, ("INVALID_INPUT", ["accountIds", "0"])),
        ({**new, "memberIds": ["usr_1", "usr_9"]}, ("NOT_FOUND", ["memberIds", "1"])),
        ({**new, "memberIds": ["tea_1"]}, ("INVALID_INPUT", ["memberIds", "0"])),
        ({**new, "memberIds": [f"usr_{number}" for number in range(1, 1_002)]}, ("TOO_LONG", ["memberIds"])),
    ):
        assert await refused(graph, "createTeam", given) == expected, given
        assert await refused(graph, "updateTeam", {"id": "tea_2", **given}) == expected, given
    assert await refused(graph, "updateTeam", {"id": "tea_1", "ifVersion": 2}) == ("VERSION_CONFLICT", ["ifVersion"])
    assert await refused(graph, "deleteTeam", {"id": "tea_9"}) == ("NOT_FOUND", ["id"])


async def test_team_of_a_user_with_a_hundred_is_refused(graph: Graph) -> None:
    await graph.database.command(service.bootstrap, None)
    for number in range(100):
        await graph.do("createTeam", {"name": f"team {number}", "memberIds": ["usr_1"]})
    one_more = {"name": "one more", "memberIds": ["usr_1"]}
    assert await refused(graph, "createTeam", one_more) == ("TOO_MANY", ["memberIds"])


async def test_interaction_gets_its_team_from_the_borders(graph: Graph) -> None:
    first, second = await conversations(graph)
    await graph.do("createTeam", {"name": "Accounts", "accountIds": ["cha_1"]})
    await graph.do("createTeam", {"name": "Labels", "labels": ["a", "z"]})
    await graph.do("createTeam", {"name": "Others", "labels": ["b"]})
    # What was there before the borders stays where it is, until it crosses one.
    assert await team_of(graph, first) is None
    for labels, team in ((["x"], "tea_1"), (["x", "b", "a"], "tea_3"), (["a", "b"], "tea_2"), ([], "tea_1")):
        await graph.do("setLabels", {"id": first, "labels": labels})
        assert await team_of(graph, first) == team, labels
    await graph.do("setLabels", {"id": second, "labels": ["z"]})
    assert await team_of(graph, second) == "tea_2"
    await graph.do("updateTeam", {"id": "tea_2", "labels": []})
    assert await team_of(graph, second) == "tea_2"
    await graph.do("closeInteraction", {"id": second})
    assert await team_of(graph, second) == "tea_2"
    await graph.do("reopenInteraction", {"id": second})
    assert await team_of(graph, second) is None


async def test_team_by_hand_holds_against_the_borders(graph: Graph) -> None:
    first, second = await conversations(graph)
    await graph.do("createTeam", {"name": "Labels", "labels": ["a"]})
    await graph.do("createTeam", {"name": "By hand"})
    await graph.do("assignTeam", {"id": first, "teamId": "tea_2"})
    await graph.do("assignTeam", {"id": second, "teamId": None})
    for ref, team in ((first, "tea_2"), (second, None)):
        await graph.do("setLabels", {"id": ref, "labels": ["a"]})
        await graph.do("closeInteraction", {"id": ref})
        await graph.do("reopenInteraction", {"id": ref})
        assert await team_of(graph, ref) == team
    history = "query($id: ID!) { interaction(id: $id) { history { nodes { topic changes { field before after } } } } }"
    entries = (await graph.read(history, id=first))["interaction"]["history"]["nodes"]
    told = [each["changes"] for each in entries if each["topic"] == "INTERACTION_TEAM_ASSIGNED"]
    assert told == [[{"field": "team", "before": None, "after": "tea_2"}]]
    assert await refused(graph, "assignTeam", {"id": first, "teamId": "tea_9"}) == ("NOT_FOUND", ["teamId"])
    assert await refused(graph, "assignTeam", {"id": first, "teamId": "usr_1"}) == ("INVALID_INPUT", ["teamId"])


async def test_team_with_open_interactions_is_not_deleted(graph: Graph) -> None:
    first, _ = await conversations(graph)
    await graph.do("createTeam", {"name": "Labels", "labels": ["a"], "memberIds": ["usr_1"]})
    await graph.do("setLabels", {"id": first, "labels": ["a"]})
    assert await refused(graph, "deleteTeam", {"id": "tea_1"}) == ("INVALID_TRANSITION", ["id"])
    await graph.do("closeInteraction", {"id": first})
    await graph.do("deleteTeam", {"id": "tea_1"})
    assert await team_of(graph, first) is None
    rows = await rows_of(graph.database)
    assert (rows["team"], rows["team_member"], rows["team_border"]) == ([], [], [])
    await graph.do("reopenInteraction", {"id": first})
    lists = await graph.read("{ interactions(filter: {teamIds: [null]}) { totalCount } }")
    assert lists == {"interactions": {"totalCount": 2}}


WORKER = ["conversation:read:team", "conversation:write"]


async def worker(graph: Graph) -> str:
    """The id of a user who works on what is its teams'."""
    await graph.do(
        "createUser", {"name": "Bo", "login": "bo", "permissions": [permission_name(each) for each in WORKER]}
    )
    return "usr_2"


async def holder_of(graph: Graph, ref: str) -> str | None:
    query = "query($id: ID!) { interaction(id: $id) { assignee { id } attention { reasons } } }"
    found = (await graph.read(query, id=ref))["interaction"]
    assert "ORPHANED" not in found["attention"]["reasons"]
    return found["assignee"] and str(found["assignee"]["id"])


async def test_interaction_is_assigned_to_who_may_see_it(graph: Graph) -> None:
    first, second = await conversations(graph)
    user = await worker(graph)
    await graph.do("createTeam", {"name": "Theirs", "memberIds": [user]})
    await graph.do("createTeam", {"name": "Others"})
    await graph.do("assignTeam", {"id": first, "teamId": "tea_1"})
    await graph.do("assignTeam", {"id": second, "teamId": "tea_2"})
    assert await refused(graph, "assignInteraction", {"id": second, "userId": user}) == ("INVALID_INPUT", ["userId"])
    await graph.do("assignInteraction", {"id": first, "userId": user})
    assert await holder_of(graph, first) == user
    assignable = "query($id: ID!) { interaction(id: $id) { assignableUsers { nodes { id } } } }"
    for ref, users in ((first, ["usr_1", user]), (second, ["usr_1"])):
        found = (await graph.read(assignable, id=ref))["interaction"]["assignableUsers"]["nodes"]
        assert [each["id"] for each in found] == users


async def test_interaction_is_released_by_who_may_not_see_it_any_more(graph: Graph) -> None:
    first, second = await conversations(graph)
    user = await worker(graph)
    await graph.do("createTeam", {"name": "Theirs", "memberIds": [user]})
    await graph.do("createTeam", {"name": "Others"})
    for leave in (
        ("assignTeam", {"id": first, "teamId": "tea_2"}),
        ("updateTeam", {"id": "tea_1", "memberIds": []}),
        ("updateUser", {"id": user, "permissions": []}),
    ):
        await graph.do("updateTeam", {"id": "tea_1", "memberIds": [user]})
        await graph.do("updateUser", {"id": user, "permissions": [permission_name(each) for each in WORKER]})
        await graph.do("assignTeam", {"id": first, "teamId": "tea_1"})
        for ref in (first, second):
            await graph.do("assignInteraction", {"id": ref, "userId": user})
        await graph.do(*leave)
        assert await holder_of(graph, first) is None, leave
        # What belongs to no team is seen as before, but for who sees nothing.
        assert await holder_of(graph, second) == (None if leave[0] == "updateUser" else user)
