"""What every contract owes, whichever it is: its own body for each refusal, and the answers that clients wait by."""

import httpx2
import pytest

from app.asgi import CONTRACTS
from app.http.services import Services
from app.rest import Contract
from tests.conftest import ManualClock
from tests.kinds.conftest import ADA, store_users
from tests.kinds.rest import House, housed

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)]


def some_path(contract: Contract) -> str:
    """A path of the contract that is read."""
    return next(
        operation.path.replace("{", "").replace("}", "")
        for operation in contract.operations
        if operation.method == "GET" and not operation.public
    )


async def codes(house: House, contract: Contract, response: httpx2.Response) -> tuple[int, str]:
    """The status, and the code of the one refusal that the contract has put in its own words."""
    (refusal,) = house.refusals
    house.refusals.clear()
    expected = contract.refused(refusal)
    assert response.status_code == expected.status
    assert response.headers["content-type"].startswith("application/json")
    assert response.json().keys() == dict(expected.body).keys()  # type: ignore[call-overload]
    return response.status_code, refusal.code


async def test_who_comes_without_credentials(database_url: str, clock: ManualClock, contract: Contract) -> None:
    async with housed(database_url, clock) as house, house.client(authorization="") as client:
        for given in ({}, {"x-xsrf-token": "bo"}, {"authorization": "Bearer nobody"}, {"authorization": "Digest bo"}):
            response = await client.get(some_path(contract), headers=given)
            assert await codes(house, contract, response) == (401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"]


async def test_paths_and_methods_there_are_not(database_url: str, clock: ManualClock, contract: Contract) -> None:
    async with housed(database_url, clock) as house, house.client() as client:
        for path in (contract.base, f"{contract.base}/nothing/at/all/here", f"{contract.base}/%0A%00"):
            assert await codes(house, contract, await client.get(path)) == (404, "UNKNOWN_PATH")
        response = await client.request("TRACE", some_path(contract))
        assert await codes(house, contract, response) == (405, "BAD_REQUEST")
        assert "GET" in response.headers["allow"].split(", ")


async def test_the_rate_limit(database_url: str, clock: ManualClock, contract: Contract) -> None:
    async with housed(database_url, clock, rate_limit=2) as house:
        await house.database.command(store_users)
        async with house.client(authorization="Bearer ada") as client:
            for _ in range(2):
                assert (await client.get(some_path(contract))).status_code != 429
            house.refusals.clear()
            response = await client.get(some_path(contract))
            assert await codes(house, contract, response) == (429, "RATE_LIMITED")
            assert 1 <= int(response.headers["retry-after"]) <= 60
            graph = await client.post(
                "/graphql", json={"query": "{ __typename }"}, headers={"accept": "application/graphql-response+json"}
            )
            assert (graph.status_code, 1 <= int(graph.headers["retry-after"]) <= 60) == (429, True)


async def test_the_share_of_cost(database_url: str, clock: ManualClock, contract: Contract) -> None:
    async with housed(database_url, clock, cost_limit=20_000) as house:
        await house.database.command(store_users)
        async with house.client(authorization="Bearer ada") as client:
            services: Services = house.state["services"]
            budget = services.operations.costs.budget
            assert (await client.get(some_path(contract))).status_code != 429
            assert (await budget.usage(ADA.caller)).used >= 1
            budget.add(ADA.caller, 20_000)
            house.refusals.clear()
            response = await client.get(some_path(contract))
            assert await codes(house, contract, response) == (429, "RATE_LIMITED")
            assert 1 <= int(response.headers["retry-after"]) <= 120
            assert (await client.get(f"{contract.base}/openapi.json")).status_code == 200


async def test_the_description_is_public(database_url: str, clock: ManualClock, contract: Contract) -> None:
    async with housed(database_url, clock) as house, house.client(authorization="") as client:
        response = await client.get(f"{contract.base}/openapi.json")
        assert response.status_code == 200
        assert response.json()["openapi"].startswith("3.")
