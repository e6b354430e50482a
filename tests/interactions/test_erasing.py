"""An erased customer leaves nothing behind, and nobody keeps looking at what is gone."""

import pytest

from app.core.actor import Actor
from tests.interactions.conftest import House
from tests.kinds.conftest import ADA, BO

pytestmark = pytest.mark.anyio

ERASE = """
mutation ($id: ID!, $version: Int) {
  deleteCustomer(input: {id: $id, ifVersion: $version, clientMutationId: "m"}) {
    deletedId clientMutationId errors { code }
  }
}
"""
LEFT = '{ interactions { edges { node { customer { name } } } } searchMessages(text: "hello") { totalCount } }'
KEEPER = Actor(user_id=BO.user_id, name="Keeper", permissions=frozenset({"directory:write"}))


async def test_interactions_go_with_their_customer_and_are_told_of(house: House) -> None:
    await house.hear()
    await house.hear_sam()
    before = len(await house.told())
    answer = await house.graph.read(ERASE, KEEPER, id=f"cus_{house.desk.ana}")
    assert answer == {"deleteCustomer": {"deletedId": f"cus_{house.desk.ana}", "clientMutationId": "m", "errors": []}}
    events = [event for event in await house.told() if event.client_mutation_id == "m"]
    assert len(await house.told()) == before + len(events)
    assert sorted(event.topic for event in events) == ["attention.cleared", "conversation.deleted", "customer.deleted"]
    assert {event.customer_id for event in events} == {house.desk.ana}
    left = await house.graph.read(LEFT, ADA)
    assert left == {
        "interactions": {"edges": [{"node": {"customer": {"name": "Sam"}}}]},
        "searchMessages": {"totalCount": 1},
    }


async def test_a_refusal_leaves_everything(house: House) -> None:
    await house.hear()
    before = await house.told()
    for actor, given, code in (
        (BO, {"id": f"cus_{house.desk.ana}"}, "FORBIDDEN"),
        (KEEPER, {"id": f"cus_{house.desk.ana}", "version": 9}, "VERSION_CONFLICT"),
        (KEEPER, {"id": "cus_999"}, "NOT_FOUND"),
        (KEEPER, {"id": "ses_1"}, "INVALID_INPUT"),
    ):
        answer = await house.graph.read(ERASE, actor, **given)
        assert answer["deleteCustomer"] == {
            "deletedId": None,
            "clientMutationId": "m",
            "errors": [{"code": code}],
        }
    assert await house.told() == before
    assert len((await house.graph.read(LEFT, ADA))["interactions"]["edges"]) == 1
