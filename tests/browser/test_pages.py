"""The pages in a browser that reaches no host but the server: nothing is fetched from elsewhere, everything works."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import orjson
import pytest

from app.asgi import CONTRACTS
from app.http.pages import build
from tests.browser.driver import PATIENCE, Browser, Tab
from tests.soak.processes import KEY, processes

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
RAISE = "mutation ($id: ID!) { raiseAttention(input: {id: $id}) { errors { code message } } }"
EXECUTE = "document.querySelector('.graphiql-execute-button').click()"
OPEN = """{ interactions(first: 1, filter: {kinds: [CONVERSATION], states: [OPEN], attentionNeeded: false}) {
  nodes { id } } }"""


@pytest.fixture(scope="module")
def graphiql(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the GraphiQL build."""
    kept = ROOT / ".graphiql"
    if build.found(kept):
        return kept
    if shutil.which("npm") is None:
        pytest.skip("needs npm, which is optional")
    folder = tmp_path_factory.mktemp("graphiql")
    try:
        build.fetch(folder)
    except build.FetchError as error:
        pytest.skip(f"needs the GraphiQL build: {error}")
    return folder


@asynccontextmanager
async def page(browser: Browser, folder: Path, graphiql: Path, path: str) -> AsyncIterator[tuple[Tab, str]]:
    """A tab on a page of a real server with the demo, and the server's address."""
    settings = {"SWITCHBOARD_GRAPHIQL_FOLDER": str(graphiql)}
    async with (
        processes(1, f"sqlite:///{folder}/switchboard.db", folder, settings) as (server,),
        browser.open_tab() as tab,
    ):
        address = f"http://127.0.0.1:{server.port}"
        await tab.open(f"{address}{path}")
        yield tab, address
        own = (f"{address}/", f"ws{address.removeprefix('http')}/", "data:", "blob:")
        assert [url for url in tab.requests if not url.startswith(own)] == []
        assert tab.errors == []


async def ask(address: str, query: str, **variables: Any) -> Mapping[str, Any]:
    body = orjson.dumps({"query": query, "variables": variables})
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}

    def send() -> Any:
        with urlopen(Request(f"{address}/graphql", body, headers), timeout=PATIENCE) as answer:
            return orjson.loads(answer.read())

    found: Mapping[str, Any] = (await asyncio.to_thread(send))["data"]
    return found


async def listeners(address: str) -> int:
    """How many listeners the server counts."""
    found: int = (await ask(address, "{ attentionSummary(groupBy: KIND) { listeners } }"))["attentionSummary"][
        "listeners"
    ]
    return found


async def raise_attention(address: str) -> str:
    """Have a human asked for, and say for which interaction."""
    interaction: str = (await ask(address, OPEN))["interactions"]["nodes"][0]["id"]
    assert (await ask(address, RAISE, id=interaction))["raiseAttention"]["errors"] == []
    return interaction


async def until(is_done: Callable[[], Awaitable[object]]) -> None:
    """Wait for something outside of the page."""
    async with asyncio.timeout(PATIENCE):
        while not await is_done():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.1)


async def test_index_leads_to_everything_that_is_served(browser: Browser, tmp_path: Path) -> None:
    async with page(browser, tmp_path, tmp_path, "/about") as (tab, _):
        found = "[...document.querySelectorAll('li a')].map(a => a.getAttribute('href'))"
        links = await tab.until(f"document.readyState === 'complete' && {found}")
        assert links == [
            "/",
            "/wall",
            "/reports",
            "/admin",
            "/graphql",
            *(f"{contract.base}/openapi.json" for contract in CONTRACTS),
            "/healthz",
            "/readyz",
        ]
        for link in links:
            status = f"fetch('{link}', {{headers: {{accept: 'text/html, */*'}}}}).then(r => r.status)"
            assert await tab.run(status) == 200, link


async def test_explorer_browses_asks_and_listens_without_the_internet(browser: Browser, tmp_path: Path) -> None:
    async with page(browser, tmp_path, tmp_path, f"/graphql#key={quote(KEY)}") as (tab, address):
        # The schema, found by a part of a name, with its description.
        await tab.until("document.querySelectorAll('#schema > details').length > 100")
        await tab.run("search.value = 'attentionQ'; search.oninput({target: search})")
        shown = await tab.run("[...document.querySelectorAll('#schema > details > summary')].map(s => s.textContent)")
        assert any(text.startswith("Query.attentionQueue: ") for text in shown), shown
        await tab.run("document.querySelector('#schema > details').open = true")
        assert await tab.until("document.querySelector('#schema details p')?.textContent")
        # A query of an example tab.
        await tab.run("[...document.querySelectorAll('[role=tab]')].find(t => t.textContent === 'Queue').click()")
        await tab.run("document.getElementById('document').focus()")
        await tab.press("Enter", "Enter", number=13, ctrl=True)
        answer = orjson.loads(await tab.until("answer.textContent"))
        assert answer["data"]["attentionQueue"]["totalCount"] > 0
        await tab.screenshot(tmp_path / "explorer.png")
        # An alert that comes while the page listens.
        await tab.run("[...document.querySelectorAll('[role=tab]')].find(t => t.textContent === 'Alerts').click()")
        await tab.run("run.click()")
        await tab.until("document.getElementById('status').textContent.startsWith('Listening')")
        await until(lambda: listeners(address))
        interaction = await raise_attention(address)
        await tab.until(f"answer.textContent.includes('\"{interaction}\"')")
        await tab.run("run.click()")
        await tab.until("document.getElementById('status').textContent === 'Ended after 1.'")
        # What is wrong is said.
        await tab.run("variables.value = '{'; run.click()")
        await tab.until("answer.textContent.startsWith('The variables are not JSON')")


async def test_graphiql_browses_asks_and_listens_without_the_internet(
    browser: Browser, tmp_path: Path, graphiql: Path
) -> None:
    async with page(browser, tmp_path, graphiql, f"/graphql#key={quote(KEY)}") as (tab, address):
        tabs = "[...document.querySelectorAll('.graphiql-tab-button')]"
        await tab.until(f"{tabs}.length > 5")
        # The schema was introspected: its documentation names the root fields.
        await tab.run("document.querySelector('[aria-label*=\"ocumentation\"]').click()")
        await tab.until("document.querySelector('.graphiql-plugin')?.textContent.includes('Query')")
        written = "(document.querySelector('.graphiql-query-editor')?.textContent ?? '')"
        await tab.run(f"{tabs}.find(t => t.textContent.includes('Queue')).click()")
        await tab.until(f"{written}.includes('attentionQueue')")
        read = "(document.querySelector('.result-window')?.textContent ?? '')"
        await tab.run(EXECUTE)
        await tab.until(f"{read}.includes('attentionQueue')")
        await tab.screenshot(tmp_path / "graphiql.png")
        await tab.run(f"{tabs}.find(t => t.textContent.includes('Alerts')).click()")
        await tab.until(f"{written}.includes('attentionChanged')")
        await tab.run(EXECUTE)
        await until(lambda: listeners(address))
        interaction = await raise_attention(address)
        await tab.until(f"{read}.includes('{interaction}')")
        await tab.screenshot(tmp_path / "graphiql-alerts.png")
