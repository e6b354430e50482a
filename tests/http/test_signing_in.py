"""Access tokens of an identity provider, wherever a key is taken: on a real server, with a provider beside it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from structlog.testing import capture_logs

from app.asgi import create_app
from app.core.actor import SYSTEM
from app.directory import service
from app.settings import Settings, SettingsError
from app.storage.database import Database, Work
from tests.conftest import CountingIds, ManualClock
from tests.http.test_sse import Stream
from tests.identity_provider import IdentityProvider, identity_provider
from tests.kit.library_server import telling
from tests.serving import PATIENCE, Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

PRESENT = "subscription($after: String) { presenceChanged(after: $after) { cursor present userId } }"
VIEWER = "{ viewer { user { login } } }"
GROUPS = {
    "leads": {
        "permissions": [
            "session:read",
            "agent_session:read",
            "chat_session:read",
            "conversation:read",
            "directory:read",
        ]
    },
}


class House:
    """A server, the provider whose tokens it takes, and its database as another process has it."""

    def __init__(self, served: Served, provider: IdentityProvider, database: Database, clock: ManualClock) -> None:
        self.served = served
        self.provider = provider
        self.database = database
        self.clock = clock

    def token(self, **claims: Any) -> str:
        given = {"email": "ana@example.com", "email_verified": True, "groups": ["leads"], **claims}
        return self.provider.token(self.clock.now.timestamp(), **given)

    async def ask(self, headers: dict[str, str], path: str = "/graphql", **given: Any) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=self.served.url.removesuffix("/graphql"), timeout=PATIENCE) as client:
            if path == "/graphql":
                return await client.post(path, json={"query": VIEWER}, headers=headers)
            return await client.get(path, headers=headers, **given)

    @asynccontextmanager
    async def stream(self, token: str, query: str = PRESENT, **headers: str) -> AsyncIterator[Stream]:
        given = {"authorization": f"Bearer {token}", "accept": "text/event-stream", **headers}
        async with (
            httpx2.AsyncClient(headers=given, timeout=PATIENCE) as client,
            client.stream("POST", self.served.url, json={"query": query}) as response,
        ):
            assert response.status_code == 200
            yield Stream(response)

    async def be_present(self, present: bool) -> None:
        await self.database.command(service.set_presence, SYSTEM, present, user="usr_2")


@pytest.fixture
async def house(database: Database, database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    await database.command(service.bootstrap, None)
    await database.command(_add_ana)
    async with identity_provider() as provider:
        settings = Settings(database_url=database_url, pool_size=4, issuers=(provider.issuer(groups=GROUPS),))
        app = create_app(settings, clock=clock, ids=CountingIds())
        async with telling(database, database_url), serving(app, settings) as served:
            yield House(served, provider, database, clock)


def _add_ana(work: Work) -> None:
    service.create_user(work, SYSTEM, {"name": "Ana", "login": "ana", "email": "ana@example.com"})


@pytest.fixture
def kinds() -> dict[str, Any]:
    from app.registry import KINDS

    return {kind.name: kind.rules for kind in KINDS}


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{token}".encode()).decode()


async def test_token_is_taken_wherever_a_key_is(house: House) -> None:
    token = house.token()
    bearer = {"authorization": f"Bearer {token}"}
    for headers in (bearer, {"x-api-key": token}):
        answer = await house.ask(headers)
        assert (answer.status_code, answer.json()) == (200, {"data": {"viewer": {"user": {"login": "ana"}}}})
    chats = "/api/v1/ChatSession/ForCurrentUser"
    for path, given in (
        ("/v1/customers?phone_number=123", bearer),
        ("/v1/customers?phone_number=123", {"authorization": f'Token token="{token}"'}),
        ("/v2/agents", bearer),
        ("/v2/agents", {"x-api-key": token}),
        (chats, bearer),
        (chats, {"authorization": basic(token)}),
        (chats, {"authorization": f"SOTicket {token}"}),
    ):
        assert (await house.ask(given, path)).status_code == 200, (path, given)
    conversations = "/third-party/v1/conversations/1/messages"
    assert (await house.ask({}, conversations)).status_code == 401
    assert (await house.ask(bearer, conversations)).status_code == 404
    for init in (bearer, {"x-api-key": token}, {"headers": bearer}):
        async with house.served.socket(init) as socket:
            await socket.subscribe("1", VIEWER)
            assert await socket.data("1") == {"viewer": {"user": {"login": "ana"}}}
    async with house.stream(token) as stream:
        await house.be_present(True)
        assert (await stream.data())["presenceChanged"]["present"] is True


async def test_token_that_is_refused_says_why_and_is_not_logged(house: House) -> None:
    token = house.token(aud="others")
    says = "This token is for another audience."
    with capture_logs() as logs:
        answer = await house.ask({"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        (error,) = answer.json()["errors"]
        assert (error["message"], error["extensions"]["code"]) == (says, "UNAUTHENTICATED")
        answer = await house.ask({"authorization": f"Bearer {token}"}, "/v2/agents")
        assert (answer.status_code, says in answer.text) == (401, True)
        async with house.served.socket(begin=False) as socket:
            await socket.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
            assert await socket.closed() == (4401, f"Unauthorized: {says}")
        answer = await house.ask({"authorization": f"Bearer {token}{'A' * 20_000}"})
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["message"] == "A key or token has at most 16,384 characters."
    head, body, signature = token.split(".")
    written = repr(logs)
    assert not any(part in written for part in (head, body, signature))


async def test_provider_that_does_not_answer_is_an_answer_to_come_back_later(house: House) -> None:
    house.provider.fault = "down"
    bearer = {"authorization": f"Bearer {house.token()}"}
    answer = await house.ask(bearer)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0]["message"] == "The identity provider of this token does not answer now."
    assert (await house.ask(bearer, "/v2/agents")).status_code == 503
    async with house.served.socket(begin=False) as socket:
        await socket.send(type="connection_init", payload=bearer)
        assert await socket.closed() == (1013, "Try again later")


async def test_token_that_expires_ends_what_it_opened_and_a_fresh_one_goes_on(house: House) -> None:
    token = house.token(exp=int(house.clock.now.timestamp()) + 60)
    bearer = {"authorization": f"Bearer {token}"}
    async with house.served.socket(bearer) as socket, house.stream(token) as stream:
        await socket.listen("1", PRESENT)
        await house.be_present(True)
        first = (await socket.data("1"))["presenceChanged"]
        frame = await stream.frame()
        assert (first["present"], f"id: {first['cursor']}" in frame) == (True, True)
        house.clock.advance(89)
        await house.be_present(False)
        assert (await socket.data("1"))["presenceChanged"]["present"] is False
        assert "false" in await stream.frame()
        house.clock.advance(1)
        assert await socket.closed() == (4403, "Forbidden")
        with pytest.raises(StopAsyncIteration):
            assert await stream.frame() is None, "nothing comes at the end, not even complete"
    async with house.served.socket(begin=False) as socket:
        await socket.send(type="connection_init", payload=bearer)
        assert await socket.closed() == (4403, "Unauthorized: This token has expired.")
    assert (await house.ask(bearer)).status_code == 401
    fresh = house.token()
    async with house.served.socket({"authorization": f"Bearer {fresh}"}) as socket:
        await socket.subscribe("1", PRESENT, after=first["cursor"])
        assert (await socket.data("1"))["presenceChanged"]["present"] is False
    async with house.stream(fresh, **{"last-event-id": first["cursor"]}) as stream:
        assert (await stream.data())["presenceChanged"]["present"] is False


async def test_user_who_is_deactivated_is_put_out_at_once(house: House) -> None:
    token = house.token()
    bearer = {"authorization": f"Bearer {token}"}
    async with house.served.socket(bearer) as socket, house.stream(token) as stream:
        await socket.listen("1", PRESENT)
        await house.database.command(service.deactivate_user, SYSTEM, "usr_2")
        assert await socket.closed() == (4403, "Forbidden")
        with pytest.raises(StopAsyncIteration):
            await stream.frame()
    answer = await house.ask(bearer)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "The user of this token is not active."
    await house.database.command(service.activate_user, SYSTEM, "usr_2")
    assert (await house.ask(bearer)).status_code == 200


OPEN = "transport credential client address"


async def opened(house: House, token: str, count: int, fields: str = OPEN) -> list[dict[str, Any]]:
    """What the token's user has open, once it is so many, by these fields."""
    query = f"{{ viewer {{ openSessions {{ nodes {{ {fields} }} }} }} }}"
    async with httpx2.AsyncClient(timeout=PATIENCE, headers={"authorization": f"Bearer {token}"}) as client:
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = (await client.post(house.served.url, json={"query": query})).json()
                found: list[dict[str, Any]] = answer["data"]["viewer"]["openSessions"]["nodes"]
                if len(found) == count:
                    return sorted(found, key=lambda each: [str(value) for value in each.values()])
                await asyncio.sleep(0.05)


async def ended(stream: Stream) -> str:
    """The last frame of a stream; those before it are passed over."""
    frame = ""
    with suppress(StopAsyncIteration):
        while True:
            frame = await stream.frame()
    return frame


async def test_sessions_that_are_ended_close_and_a_fresh_token_begins_others(house: House) -> None:
    token = house.token()
    bearer = {"authorization": f"Bearer {token}"}
    source = Source(house, await created(house, token))
    async with (
        house.served.socket(bearer | {"x-client-name": "console"}) as socket,
        house.stream(token) as stream,
        source.open() as ticketed,
    ):
        await socket.listen("1", PRESENT)
        assert ticketed.response.status_code == 200
        here = {"address": "127.0.0.1"}
        assert await opened(house, token, 3) == [
            {"transport": "EVENT_STREAM", "credential": "ACCESS_TOKEN", "client": None, **here},
            {"transport": "EVENT_STREAM", "credential": "TICKET", "client": None, **here},
            {"transport": "WEB_SOCKET", "credential": "ACCESS_TOKEN", "client": "console", **here},
        ]
        house.clock.advance(1)
        # As another process does it.
        await house.database.command(service.end_sessions, SYSTEM, user="usr_2")
        assert await socket.closed() == (4403, "Forbidden")
        for each in (stream, ticketed):
            await ended(each)
    says = "The sessions of this token's user were ended after it was issued. Get a fresh token."
    answer = await house.ask(bearer)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (401, says)
    assert (await house.ask(bearer, "/v2/agents")).status_code == 401
    assert await source.refused() == (401, "This ticket is not valid.")
    async with house.served.socket(begin=False) as socket:
        await socket.send(type="connection_init", payload=bearer)
        assert await socket.closed() == (4403, f"Unauthorized: {says}")
    fresh = house.token()
    async with house.served.socket({"authorization": f"Bearer {fresh}"}):
        assert len(await opened(house, fresh, 1)) == 1
    assert await opened(house, fresh, 0) == []


async def test_session_that_ends_alone_stays_closed_and_the_others_go_on(house: House) -> None:
    token = house.token()
    bearer = {"authorization": f"Bearer {token}"}
    source = Source(house, await created(house, token))
    async with (
        house.served.socket(bearer | {"x-client-name": "lost"}) as lost,
        house.served.socket(bearer | {"x-client-name": "kept"}) as kept,
        house.stream(token) as stream,
        source.open() as ticketed,
    ):
        for socket in (lost, kept):
            await socket.listen("1", PRESENT)
        found = await opened(house, token, 4, "id transport client")
        ends = [each["id"] for each in found if each["client"] != "kept"]
        # As another process does it.
        await house.database.command(service.end_sessions, SYSTEM, user="usr_2", sessions=ends)
        assert await lost.closed() == (4401, "This session was ended")
        for each in (stream, ticketed):
            assert await ended(each) == "event: complete\ndata:"
        await kept.subscribe("2", "{ viewer { user { id } } }")
        assert await kept.data("2") == {"viewer": {"user": {"id": "usr_2"}}}
        assert await opened(house, token, 1, "client") == [{"client": "kept"}]
    assert await source.refused() == (401, "This ticket is not valid.")
    assert (await house.ask(bearer)).status_code == 200


async def test_permissions_are_those_of_each_token(house: House) -> None:
    bearer = {"authorization": f"Bearer {house.token(groups=['others'])}"}
    assert (await house.ask(bearer, "/v2/agents")).status_code == 403
    assert (await house.ask({"authorization": f"Bearer {house.token()}"}, "/v2/agents")).status_code == 200
    assert (await house.ask(bearer, "/v2/agents")).status_code == 403


async def test_group_that_names_an_unknown_permission_stops_the_start() -> None:
    async with identity_provider() as provider:
        groups = {"leads": {"permissions": ["session:read", "session:reed"]}, "x": {"permissions": ["admin"]}}
        with pytest.raises(SettingsError) as refused:
            create_app(Settings(issuers=(provider.issuer(groups=groups),)))
        assert str(refused.value).splitlines() == [
            f"SWITCHBOARD_ISSUERS: the group {group} of {provider.url} has a permission that does not exist: {name}."
            for group, name in (("leads", "session:reed"), ("x", "admin"))
        ]


# ---- tickets ----


class Source:
    """As a browser's EventSource asks: by its address alone, and with the latest id once there is one."""

    def __init__(self, house: House, ticket: str, query: str = PRESENT) -> None:
        self.url = f"{house.served.url}?{urlencode({'query': query, 'ticket': ticket})}"

    @asynccontextmanager
    async def open(self, latest: str | None = None) -> AsyncIterator[Stream]:
        headers = {"accept": "text/event-stream"} | ({} if latest is None else {"last-event-id": latest})
        async with (
            httpx2.AsyncClient(timeout=PATIENCE, headers=headers) as client,
            client.stream("GET", self.url) as response,
        ):
            yield Stream(response)

    async def refused(self) -> tuple[int, str]:
        async with self.open() as stream:
            await stream.response.aread()
            return stream.response.status_code, stream.response.json()["errors"][0]["message"]


async def created(house: House, token: str) -> str:
    query = "mutation { createStreamTicket(input: {}) { ticket errors { code } } }"
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        headers = {"authorization": f"Bearer {token}"}
        answer = await client.post(house.served.url, json={"query": query}, headers=headers)
    return str(answer.json()["data"]["createStreamTicket"]["ticket"])


async def test_ticket_begins_a_stream_that_resumes_by_itself(house: House) -> None:
    token = house.token(exp=int(house.clock.now.timestamp()) + 600)
    ticket = await created(house, token)
    source = Source(house, ticket)
    async with source.open() as stream:
        assert stream.response.status_code == 200
        first = (await stream.frame()).removeprefix("id: ")
    await house.be_present(True)
    # It broke before anything had come: what it missed comes all the same.
    async with source.open(first) as stream:
        assert (await stream.frame()).startswith("id: ")
        event, place, data = (await stream.frame()).split("\n")
        assert ("true" in data, event) == (True, "event: next")
        latest = place.removeprefix("id: ")
    house.clock.advance(300)
    await house.be_present(False)
    async with source.open(latest) as stream:
        assert await stream.frame() == f"id: {latest}"
        assert "false" in await stream.frame()
        house.clock.advance(330)
        with pytest.raises(StopAsyncIteration):
            await stream.frame()
    assert await source.refused() == (401, "This ticket is not valid.")


async def test_ticket_is_for_one_subscription_alone(house: House) -> None:
    ticket = await created(house, house.token())
    for query, accept in ((VIEWER, "text/event-stream"), (PRESENT, "application/json")):
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            answer = await client.get(
                house.served.url, params={"query": query, "ticket": ticket}, headers={"accept": accept}
            )
        assert answer.status_code == 400
        says = "A ticket is for a subscription that is answered with text/event-stream."
        assert answer.json()["errors"][0]["message"] == says
    assert await Source(house, ticket).refused() == (401, "This ticket is for another stream.")
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        bearer = {"authorization": f"Bearer {ticket}"}
        answer = await client.post(house.served.url, json={"query": VIEWER}, headers=bearer)
        assert answer.status_code == 401
        answer = await client.post(f"{house.served.url}?ticket={ticket}", json={"query": VIEWER})
        assert answer.status_code == 401


async def test_ticket_ends_with_its_user(house: House) -> None:
    source = Source(house, await created(house, house.token()))
    async with source.open() as stream:
        assert (await stream.frame()).startswith("id: ")
        await house.database.command(service.deactivate_user, SYSTEM, "usr_2")
        with pytest.raises(StopAsyncIteration):
            await stream.frame()
    assert await source.refused() == (401, "This ticket is not valid.")


async def test_ticket_is_in_no_log(house: House) -> None:
    with capture_logs() as logs:
        ticket = await created(house, house.token())
        async with Source(house, ticket).open() as stream:
            assert (await stream.frame()).startswith("id: ")
        assert (await Source(house, ticket, VIEWER).refused())[0] == 401
        assert (await Source(house, f"swx_{'A' * 43}").refused())[0] == 401
    assert ticket not in repr(logs)
