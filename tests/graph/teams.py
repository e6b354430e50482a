"""Teams, and interactions that belong to them."""

from collections.abc import Sequence

from tests.graph.running import Graph


async def store_teams(graph: Graph, *kinds: Sequence[str]) -> None:
    """Three teams: one with borders, one with two members alone, one that is empty.

    Of the interactions of each kind the first and every third belong to the first team, those after them to the second,
    the others to none."""
    members = ["usr_1", "usr_2", "usr_4"]
    first = {"name": "Ärger", "memberIds": members, "accountIds": ["cha_9", "top_9"], "labels": ["money"]}
    for given in (first, {"name": "billing", "memberIds": ["usr_1", "usr_3"]}, {"name": "Empty"}):
        await graph.do("createTeam", given)
    for refs in kinds:
        for number, ref in enumerate(refs):
            if number % 3 < 2:
                await graph.do("assignTeam", {"id": ref, "teamId": f"tea_{number % 3 + 1}"})
