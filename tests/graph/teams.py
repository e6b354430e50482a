"""Teams, and interactions that belong to them."""

from collections.abc import Sequence

from tests.graph.running import Graph


async def store_teams(graph: Graph, conversations: Sequence[str], sessions: Sequence[str]) -> None:
    """Three teams: one with borders, one with a member alone, one that is empty.

    Of the interactions each team but the last has some of each kind that is given; most interactions have none."""
    first = {
        "name": "Ärger",
        "memberIds": ["usr_1", "usr_2", "usr_4"],
        "accountIds": ["cha_9", "top_9"],
        "labels": ["money"],
    }
    for given in (first, {"name": "billing", "memberIds": ["usr_1", "usr_3"]}, {"name": "Empty"}):
        await graph.do("createTeam", given)
    for refs in (conversations, sessions):
        for number, ref in enumerate(refs, start=1):
            await graph.do("assignTeam", {"id": ref, "teamId": f"tea_{number}"})
