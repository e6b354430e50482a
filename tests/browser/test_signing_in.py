"""The pages sign in: a browser, a real server, and an identity provider of another origin on this machine."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import orjson
import pytest

from tests.browser.driver import Browser, Tab
from tests.browser.test_console import READY, ROWS, STATE, has, row
from tests.browser.test_pages import EXECUTE, OPEN, ask, graphiql, raise_attention, until
from tests.identity_provider import IdentityProvider, Reply, identity_provider
from tests.soak.processes import processes

pytestmark = pytest.mark.anyio

__all__ = ["graphiql"]

SIGN_IN = "document.querySelector('#sign-in button')"


class Realm:
    """The sign-in of a provider, which everybody passes; a token lasts as long as it is told."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self.lasts = 300
        self.ends_after = 300
        self.is_over = False
        self.granted: list[str] = []
        self.ended: list[str] = []
        self._issued = ""
        self._begun: dict[str, dict[str, list[str]]] = {}
        provider.more = {
            "authorization_endpoint": f"{provider.url}/authorize",
            "token_endpoint": f"{provider.url}/token",
        }
        provider.handlers = {"/authorize": self._authorize, "/token": self._token}

    def offer_sign_out(self) -> None:
        """Name in the metadata where sessions are ended."""
        self.provider.more["end_session_endpoint"] = f"{self.provider.url}/logout?from=metadata"
        self.provider.handlers["/logout"] = self._end

    def _end(self, query: str, _body: bytes) -> Reply:
        given = parse_qs(query)
        assert (given["client_id"], given["id_token_hint"], given["from"]) == (["pages"], [self._issued], ["metadata"])
        self.ended += given["post_logout_redirect_uri"]
        return 302, {"location": given["post_logout_redirect_uri"][0]}, b""

    def _authorize(self, query: str, _body: bytes) -> Reply:
        given = parse_qs(query)
        assert given["response_type"] == ["code"]
        assert given["client_id"] == ["pages"]
        assert given["scope"] == ["openid profile email"]
        assert given["prompt"] == ["login"]
        code = f"code{len(self._begun)}"
        self._begun[code] = given
        back = urlencode({"code": code, "state": given["state"][0], "iss": self.provider.url})
        return 302, {"location": f"{given['redirect_uri'][0]}?{back}"}, b""

    def _token(self, _query: str, body: bytes) -> Reply:
        given = {name: value[0] for name, value in parse_qs(body.decode()).items()}
        self.granted.append(given["grant_type"])
        if given["grant_type"] == "authorization_code":
            begun = self._begun.pop(given["code"])
            digest = hashlib.sha256(given["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == begun["code_challenge"][0]
            assert given["redirect_uri"] == begun["redirect_uri"][0]
        else:
            if self.is_over:
                return 400, {}, orjson.dumps({"error": "invalid_grant"})
            assert given["refresh_token"] == f"refresh{len(self.granted) - 1}"
        person: dict[str, Any] = {"groups": ["leads"], "preferred_username": "ana", "name": "Ana Lund"}
        now = time.time()
        token = self.provider.token(now, **person, exp=int(now) + self.ends_after)
        answer = {"access_token": token, "expires_in": self.lasts, "refresh_token": f"refresh{len(self.granted)}"}
        if given["grant_type"] == "authorization_code":
            self._issued = answer["id_token"] = token
        return 200, {}, orjson.dumps(answer)


@asynccontextmanager
async def page(
    browser: Browser, folder: Path, graphiql: Path, path: str = "/graphql"
) -> AsyncIterator[tuple[Tab, str, Realm]]:
    """A tab on the page of a server with the demo that takes the tokens of a provider."""
    async with identity_provider() as provider:
        realm = Realm(provider)
        issuer: dict[str, Any] = {
            "issuer": provider.url,
            "audiences": ["switchboard"],
            "client_id": "pages",
            "authorization_parameters": {"prompt": "login"},
            "create_users": True,
            "groups": {"leads": {"permissions": ["session:read", "conversation:read"]}},
        }
        settings = {
            "SWITCHBOARD_GRAPHIQL_FOLDER": str(graphiql),
            "SWITCHBOARD_ISSUERS": orjson.dumps([issuer]).decode(),
        }
        url = f"sqlite:///{folder}/switchboard.db"
        async with processes(1, url, folder, settings) as (server,), browser.open_tab() as tab:
            address = f"http://127.0.0.1:{server.port}"
            await tab.open(f"{address}{path}")
            yield tab, address, realm


async def test_explorer_signs_in_and_refreshes_by_itself(browser: Browser, tmp_path: Path) -> None:
    async with page(browser, tmp_path, tmp_path) as (tab, address, realm):
        await tab.until(f"{SIGN_IN}?.textContent.startsWith('Sign in at 127.0.0.1')")
        realm.lasts = 1
        await tab.run(f"{SIGN_IN}.click()")
        await tab.until(f"{SIGN_IN}?.textContent === 'Sign out'")
        assert await tab.run("location.href") == f"{address}/graphql"
        assert await tab.run("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        await tab.until("document.querySelectorAll('#schema > details').length > 100")
        # The token is about to end, so each request asks for a fresh one.
        await tab.run("document.getElementById('document').value = '{ viewer { user { name login } permissions } }'")
        await tab.run("document.getElementById('document').oninput()")
        await tab.run("run.click()")
        answer = orjson.loads(await tab.until("answer.textContent"))
        assert answer["data"]["viewer"] == {
            "user": {"name": "Ana Lund", "login": "ana"},
            "permissions": ["CONVERSATION_READ", "SESSION_READ"],
        }
        assert realm.granted[0] == "authorization_code"
        assert set(realm.granted[1:]) == {"refresh_token"}
        await tab.run(f"{SIGN_IN}.click()")
        await tab.run("answer.textContent = ''; run.click()")
        assert "UNAUTHENTICATED" in await tab.until("answer.textContent")
        assert all(url.startswith((f"{address}/", f"{realm.provider.url}/", "data:")) for url in tab.requests)
        assert [error for error in tab.errors if "401" not in error] == []


async def test_explorer_takes_no_answer_to_a_sign_in_that_it_has_not_begun(browser: Browser, tmp_path: Path) -> None:
    async with page(browser, tmp_path, tmp_path) as (tab, address, realm):
        await tab.until(f"{SIGN_IN} !== null")
        await tab.call("Page.navigate", url=f"{address}/graphql?code=stolen&state=x")
        says = "This answer is to no sign-in of this page."
        await tab.until(f"document.getElementById('status').textContent === '{says}'")
        assert await tab.run("location.href") == f"{address}/graphql"
        assert realm.granted == []


async def test_graphiql_signs_in_and_asks_and_listens(browser: Browser, tmp_path: Path, graphiql: Path) -> None:
    async with page(browser, tmp_path, graphiql) as (tab, _, realm):
        await tab.until(f"{SIGN_IN} !== null")
        await tab.run(f"{SIGN_IN}.click()")
        tabs = "[...document.querySelectorAll('.graphiql-tab-button')]"
        await tab.until(f"{SIGN_IN}?.textContent === 'Sign out' && {tabs}.length > 5")
        written = "(document.querySelector('.graphiql-query-editor')?.textContent ?? '')"
        read = "(document.querySelector('.result-window')?.textContent ?? '')"
        await tab.run(f"{tabs}.find(t => t.textContent.includes('Queue')).click()")
        await tab.until(f"{written}.includes('attentionQueue')")
        await tab.run(EXECUTE)
        await tab.until(f"{read}.includes('totalCount')")
        assert realm.granted == ["authorization_code"]
        stored = await tab.run("JSON.stringify({...localStorage, ...sessionStorage})")
        assert "eyJ" not in stored
        assert tab.errors == []


def asked_of(tab: Tab) -> list[str]:
    """What the page has asked of the graph."""
    return [url for url in tab.requests if url.endswith("/graphql")]


async def is_longer(granted: list[str], before: int) -> bool:
    return len(granted) > before


async def test_console_signs_in_and_misses_nothing_when_its_token_ends(browser: Browser, tmp_path: Path) -> None:
    button = "document.querySelector('switchboard-sign-in button.primary')"
    # A server takes a token for 30 seconds longer than it says: this one for 4 seconds more, from now.
    leeway = 30
    async with page(browser, tmp_path, tmp_path, "/wall") as (tab, address, realm):
        await tab.until(f"{button}?.textContent.startsWith('Sign in at 127.0.0.1')")
        # The wallboard comes back as the wallboard, the console with what was open.
        await tab.run(f"{button}.click()")
        await tab.until("document.querySelector('.wall') !== null")
        assert await tab.run("[location.href, localStorage.length]") == [f"{address}/wall", 0]
        assert "eyJ" not in await tab.run("JSON.stringify(sessionStorage)")
        interaction = (await ask(address, OPEN))["interactions"]["nodes"][0]["id"]
        realm.lasts, realm.ends_after = 4, 4 - leeway
        realm.granted.clear()
        realm.offer_sign_out()
        await tab.call("Page.navigate", url=f"{address}/#open={interaction}")
        # In this tab somebody was signed in, so the page goes to the provider by itself.
        await tab.until(f"{READY} && document.querySelector('.facts') !== null")
        assert await tab.run("location.href") == f"{address}/#open={interaction}"
        assert realm.granted[0] == "authorization_code"
        watch = "document.querySelector('.connection'), {attributes: true}"
        await tab.run(f"globalThis.said = []; new MutationObserver(() => said.push({STATE})).observe({watch})")
        realm.ends_after = 300
        # The token ends on the socket, which comes back with a new one.
        await tab.until("said.includes('reconnecting')")
        raised = await raise_attention(address)
        await tab.until(f"{STATE} === 'live' && {row(raised)} !== null")
        assert set(realm.granted[1:]) == {"refresh_token"}
        assert await tab.run(f"{ROWS}.length") > 3
        # It is refreshed without any request of the page.
        asked, granted = len(asked_of(tab)), len(realm.granted)
        await until(lambda: is_longer(realm.granted, granted))
        assert len(asked_of(tab)) == asked
        # Where the provider has ended the session, the end of the token is the end.
        realm.is_over = True
        await tab.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Sign out').click()")
        # Signed out here and there, and back at the form.
        await until(lambda: is_longer(realm.ended, 0))
        await tab.until(f"{button} !== null && document.querySelector('.facts') === null")
        assert realm.ended == [f"{address}/"]
        assert await tab.run("sessionStorage.length") == 0
        realm.lasts, realm.ends_after = 1, 3 - leeway
        await tab.run(f"{button}.click()")
        await tab.until(has("Your sign-in has ended. Sign in again."))
        await tab.screenshot(tmp_path / "signing-in.png")
        assert [error for error in tab.errors if not any(code in error for code in ("400", "401"))] == []
