"""The client-credentials exchange, with real keys."""

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest

from app.directory.service import bootstrap
from tests.conftest import ManualClock
from tests.kinds.rest import housed

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

Keyed = tuple[httpx2.AsyncClient, str]


@pytest.fixture
async def keyed(database_url: str, clock: ManualClock) -> AsyncIterator[Keyed]:
    """A client without credentials, and the admin's key."""
    async with housed(database_url, clock, by_names=False) as house:
        _, secret = await house.database.command(bootstrap, None)
        assert secret is not None
        async with house.client(authorization="") as client:
            yield client, secret


async def test_a_token_is_as_good_as_its_key(keyed: Keyed) -> None:
    client, secret = keyed
    form = {"grant_type": "client_credentials", "client_id": secret.split("_")[1], "client_secret": secret}
    response = await client.post("/oauth2/token", data=form)
    body = response.json()
    assert (response.status_code, response.headers["cache-control"]) == (200, "private, no-store")
    assert list(body) == ["access_token", "token_type", "expires_in"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    for path in ("/v2/agents", "/v1/customers?phone_number=123"):
        assert (await client.get(path, headers=bearer)).status_code == 200
    viewer = await client.post("/graphql", json={"query": "{ viewer { user { login } } }"}, headers=bearer)
    assert viewer.json() == {"data": {"viewer": {"user": {"login": "admin"}}}}
    assert (await client.post("/oauth2/token/", data=form)).status_code == 200


async def test_the_header_carries_the_credentials_too(keyed: Keyed) -> None:
    client, secret = keyed
    basic = base64.b64encode(f"{secret.split('_')[1]}:{secret}".encode()).decode()
    response = await client.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"authorization": f"Basic {basic}"}
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}, 401, "invalid_client"),
        (
            {"grant_type": "client_credentials", "client_id": "' OR 1=1", "client_secret": "x" * 9_999},
            401,
            "invalid_client",
        ),
    ],
)
async def test_refusals(keyed: Keyed, form: dict[str, str], status: int, error: str) -> None:
    client, _ = keyed
    response = await client.post("/oauth2/token", data=form)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert "access_token" not in response.text


@pytest.mark.parametrize("client_id", ["", "another1", "~another12345"])
async def test_a_key_goes_with_its_own_prefix_alone(keyed: Keyed, client_id: str) -> None:
    client, secret = keyed
    response = await client.post("/oauth2/token", data={"client_id": client_id, "client_secret": secret})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_json_is_taken_in_place_of_a_form(keyed: Keyed) -> None:
    client, secret = keyed
    given = {"grant_type": "client_credentials", "client_id": secret.split("_")[1], "client_secret": secret}
    assert (await client.post("/oauth2/token", json=given)).json()["token_type"] == "Bearer"
    response = await client.post("/oauth2/token", json=given | {"client_secret": 5})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_other_requests(keyed: Keyed) -> None:
    client, _ = keyed
    assert (await client.get("/oauth2/token")).headers["allow"] == "POST"
    assert (
        await client.post("/oauth2/token", content=b"<a/>", headers={"content-type": "text/xml"})
    ).status_code == 415
