"""The administration in a browser: what an admin makes there, and what others are not shown."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.commands.opening import opened
from app.connections.model.outbox import Entry, EntryState
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.outbox import retroubled
from app.connections.tables import mirrored
from app.core.actor import CONNECTION, Actor
from app.core.ids import GlobalId
from app.interactions.events import SyncRefused
from app.interactions.model import Command, Interaction
from app.interactions.service.change import load, write
from app.registry import PERMISSIONS
from app.settings import Settings
from app.storage.work import Work
from tests.browser.driver import Browser, Tab
from tests.browser.test_console import ATTACKS, assert_own, enter, has, make_colleague
from tests.browser.test_pages import ask, until
from tests.soak.processes import KEY, processes

pytestmark = pytest.mark.anyio

TITLES = "[...document.querySelectorAll('.part .entry-title > :first-child')].map(t => t.textContent)"
PARTS = "[...document.querySelectorAll('.parts a')].map(a => a.hash)"
TOP = "[...document.querySelectorAll('dialog[open]')].at(-1)"
CLOSED = "document.querySelector('dialog') === null"
UNNAMED = """[...document.querySelectorAll('button, input, select, textarea, summary, a[href]')]
    .filter(c => !(c.textContent.trim() || c.ariaLabel || c.labels?.length)).map(c => c.outerHTML)"""


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """The address of a server with the demo that can seal secrets."""
    settings = {
        "SWITCHBOARD_GRAPHIQL_FOLDER": str(folder),
        "SWITCHBOARD_SECRETS_KEY": Fernet.generate_key().decode(),
        "SWITCHBOARD_KEYS_PER_USER": "7",
    }
    async with processes(1, f"sqlite:///{folder}/switchboard.db", folder, settings) as (server,):
        yield f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def administration(browser: Browser, address: str, key: str = KEY) -> AsyncIterator[Tab]:
    """A tab at `/admin`, which complains of nothing and asks no other host."""
    async with browser.open_tab() as tab:
        await tab.open(f"{address}/admin#key={quote(key)}")
        await tab.until("document.querySelector('switchboard-admin main') !== null")
        yield tab
        assert_own(tab, address)
        assert tab.errors == []


def text(value: str) -> str:
    return orjson.dumps(value).decode()


async def go(tab: Tab, part: str, titled: str) -> None:
    await tab.run(f"document.querySelector('.parts a[href=\"#{part}\"]').click()")
    await tab.until(f"{TITLES}.includes({text(titled)})")
    assert await tab.run("document.activeElement.tagName") == "H2"


async def act(tab: Tab, action: str, on: str | None = None) -> None:
    """Press what does something: to the item with the title, or what makes a new one."""
    place = TOP + " ?? document.querySelector('.part')"
    if on is not None:
        await tab.run(
            f"globalThis.entry = [...({place}).querySelectorAll('.entry')].find(e => "
            f"e.querySelector('.entry-title > :first-child').textContent === {text(on)})"
        )
    scope = f"({place})" if on is None else "entry"
    await tab.run(f"{scope}.querySelector('[data-action={action}]').click()")


async def enter_into(tab: Tab, label: str, value: str) -> None:
    """Write into the field of the dialog with this label."""
    field = f"[...{TOP}.querySelectorAll('.field > label')].find(l => l.textContent === {text(label)}).control"
    await tab.until(f"{field} !== undefined")
    await tab.run(f"{field}.focus(); {field}.select?.()")
    await tab.write(value)


async def submit(tab: Tab) -> None:
    await tab.run(f"{TOP}.querySelector('form').requestSubmit()")


async def test_admin_makes_users_keys_and_teams(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as address, administration(browser, address) as tab:
        await tab.until(f"{TITLES}.includes('Ingrid')")
        expected = ["users", "keys", "teams", "topics", "channels", "connections", "outbox", "destinations", "policies"]
        assert await tab.run(PARTS) == [f"#{each}" for each in (*expected, "settings")]
        # A refusal is told at the field that it is about, which gets the focus; nothing is lost.
        await act(tab, "createUser")
        await tab.until("document.activeElement.closest('dialog') !== null")
        await submit(tab)
        assert await tab.run("document.activeElement.getAttribute('aria-invalid')") == "true"
        await enter_into(tab, "Name", ATTACKS[0])
        await enter_into(tab, "Login", "ingrid")
        await submit(tab)
        await tab.until(has("There is one already.", "document.activeElement.closest('.field')"))
        await enter_into(tab, "Login", "mallory")
        await tab.run(f"[...{TOP}.querySelectorAll('.check')].find(l => l.innerText === 'See all').click()")
        await submit(tab)
        await tab.until(f"{CLOSED} && {TITLES}.includes({text(ATTACKS[0])})")
        await tab.until(has("Done: New user", "document.querySelector('.notices')"))
        users = (await ask(address, '{ users(search: "mallory") { nodes { name permissions } } }'))["users"]["nodes"]
        assert users == [{"name": ATTACKS[0], "permissions": ["SESSION_READ"]}]
        made = "document.querySelectorAll('switchboard-admin :is(img, script, svg, iframe, b)').length"
        assert await tab.run(made) == 0
        # A key of that user is shown once, and lets it in; ended, it does not.
        await act(tab, "showKeys", ATTACKS[0])
        await tab.until(f"{TOP}?.querySelector('[data-action=createKey]') !== null")
        await act(tab, "createKey")
        await enter_into(tab, "Name", "nightly")
        await submit(tab)
        secret = await tab.until(f"{TOP}.querySelector('.secret input')?.value")
        viewer = f"""fetch('/graphql', {{method: 'POST', body: '{{"query": "{{ viewer {{ user {{ login }} }} }}"}}',
            headers: {{'content-type': 'application/json', authorization: 'Bearer {secret}'}}}}).then(r => r.status)"""
        assert await tab.run(viewer) == 200
        await tab.press("Escape", "Escape", number=27)
        await tab.until(f"document.querySelectorAll('dialog').length === 1 && {has('nightly', TOP)}")
        assert await tab.run(f"document.documentElement.outerHTML.includes({text(secret)})") is False
        await act(tab, "revokeKey", "nightly")
        await submit(tab)
        await tab.until(has("Ended", TOP))
        await tab.press("Escape", "Escape", number=27)
        await tab.until(CLOSED)
        assert await tab.run(viewer) == 401
        tab.errors.clear()  # that it was refused is said there as well
        # A team by keyboard alone, with a member who is found by name.
        await tab.run("document.querySelector('.parts a[href=\"#teams\"]').click()")
        await tab.until("document.querySelector('.part [data-action=createTeam]') !== null")
        await act(tab, "createTeam")
        await enter_into(tab, "Name", "Night shift")
        await tab.press("Tab", "Tab", number=9)
        await tab.write("ing")
        await tab.until(f"{TOP}.querySelectorAll('.picks button').length === 1")
        await tab.press("ArrowDown", "ArrowDown", number=40)
        await enter(tab)
        await tab.until(has("Ingrid", f"{TOP}.querySelector('.chip')"))
        await submit(tab)
        await tab.until(f"{CLOSED} && {TITLES}.includes('Night shift')")
        teams = (await ask(address, "{ teams { nodes { name members { nodes { name } } } } }"))["teams"]["nodes"]
        assert teams == [{"name": "Night shift", "members": {"nodes": [{"name": "Ingrid"}]}}]
        # Deleted, its row is gone and the focus is where one can go on from.
        await act(tab, "deleteTeam", "Night shift")
        await submit(tab)
        await tab.until(f"{TITLES}.length === 0 && document.activeElement.tagName === 'H2'")


async def test_admin_page_follows_what_others_do(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as address, administration(browser, address) as tab:
        await tab.run("document.querySelector('.parts a[href=\"#connections\"]').click()")
        await tab.until(has("Nothing here yet", "document.querySelector('.part')"))
        made = await ask(
            address,
            "mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }",
            input={"system": "HTTP", "name": ATTACKS[1]},
        )
        await tab.until(f"{TITLES}.includes({text(ATTACKS[1])})")
        pause = "mutation ($id: ID!) { pauseConnection(input: {id: $id}) { errors { code } } }"
        await ask(address, pause, id=made["createConnection"]["connection"]["id"])
        await tab.until(has("Paused", "document.querySelector('.badge')"))
        # What holds the focus keeps it while the list is drawn anew.
        await tab.run("document.querySelector('.entry summary').focus()")
        await act(tab, "resumeConnection", ATTACKS[1])
        await tab.until(has("Nothing arrived yet", "document.querySelector('.badge')"))
        assert await tab.run("document.activeElement.closest('.entry') !== null") is True
        await act(tab, "testConnection", ATTACKS[1])
        await tab.until(has("Nothing stands in its way.", f"({TOP} ?? document.body)"))
        await tab.press("Escape", "Escape", number=27)
        # Destinations: refused at the address, by who runs the server.
        await tab.run("document.querySelector('.parts a[href=\"#destinations\"]').click()")
        await tab.until("document.querySelector('.part [data-action=createDestination]') !== null")
        await act(tab, "createDestination")
        await enter_into(tab, "Name", "On call")
        await enter_into(tab, "Address", "http://127.0.0.1:9/x")
        await submit(tab)
        await tab.until(has("This cannot be taken.", "document.activeElement.closest('.field')"))
        assert await tab.run("document.activeElement.value") == "http://127.0.0.1:9/x"
        await tab.press("Escape", "Escape", number=27)
        # Settings: their sources, and no secret.
        await go(tab, "settings", "SWITCHBOARD_KEYS_PER_USER")
        shown = " ".join((await tab.run("document.querySelector('.part').innerText")).split())
        assert "SWITCHBOARD_KEYS_PER_USER Environment 7" in shown
        assert "Set; a secret is never shown" in shown
        assert KEY not in shown
        # The page knows every permission.
        known = await tab.run(
            "import('/assets/console/models/rights.js').then(m => m.PERMISSIONS.flatMap(({names}) => names))"
        )
        assert sorted(known) == sorted(each.replace(":", "_").upper() for each in PERMISSIONS)
        # On a phone and at 200 % zoom nothing is wider than the page, and every control has a name.
        await go(tab, "users", "Ingrid")
        for width, height in ((400, 800), (700, 450)):
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            assert await tab.run("document.documentElement.scrollWidth") == width
            await act(tab, "editUser", "Ingrid")
            await tab.until(f"{TOP} !== undefined")
            assert await tab.run(f"{TOP}.scrollWidth <= {TOP}.clientWidth && {TOP}.clientWidth <= {width}") is True
            assert await tab.run(UNNAMED) == []
            await tab.press("Escape", "Escape", number=27)
            await tab.until(CLOSED)
        # In another language all is said again.
        languages = "document.querySelector('.menu-body select')"
        await tab.run(f"{languages}.value = 'de'; {languages}.dispatchEvent(new Event('change'))")
        await tab.until(f"{has('Wer hier arbeitet')} && {TITLES}.includes('Ingrid')")


async def test_admin_shows_and_ends_what_lets_a_user_in(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as address:
        key = await make_colleague(address)

        async def open_sessions() -> list[str]:
            query = '{ users(search: "bo.console") { nodes { openSessions { nodes { id } } } } }'
            (found,) = (await ask(address, query))["users"]["nodes"]
            return [each["id"] for each in found["openSessions"]["nodes"]]

        async with administration(browser, address) as tab, browser.open_tab() as other:
            await other.open(f"{address}/wall#key={quote(key)}")
            await until(open_sessions)
            (former,) = await open_sessions()
            await tab.until(f"{TITLES}.includes('Bo')")
            await act(tab, "showGrants", "Bo")
            await tab.until(f"{has('Everything', TOP)} && {has('Administrator', TOP)}")
            await tab.press("Escape", "Escape", number=27)
            await tab.until(CLOSED)
            await act(tab, "showIdentities", "Bo")
            await tab.until(has("Nothing here yet", TOP))
            await tab.press("Escape", "Escape", number=27)
            await tab.until(CLOSED)
            await act(tab, "showSessions", "Bo")
            await tab.until(f"{has('WebSocket', TOP)} && {has('By the key console', TOP)}")
            await act(tab, "endSessions")
            await tab.until(has("End all sessions: Bo", TOP))
            await submit(tab)
            # Its key is valid, so that the page comes back, by another session.
            await until(lambda: _is_not(former, open_sessions))
            await tab.until(has("Done: End all sessions Bo", TOP))


async def _is_not(former: str, open_sessions: Callable[[], Awaitable[list[str]]]) -> bool:
    return former not in await open_sessions()


def stick(work: Work, number: int, connection: str) -> None:
    """An answer in the interaction that the connected system refused, and one that may have arrived."""
    place = {"id": number, "connection_id": int(connection.removeprefix("con_")), "upstream_key": "17"}
    work.connection.execute(sa.insert(mirrored).values(**place, synced_at=work.now))
    of: dict[str, Any] = {
        "connection_id": place["connection_id"],
        "interaction_id": number,
        "slot": None,
        "value": None,
    }
    when: dict[str, Any] = {"created_at": work.now, "due_at": work.now, "deadline": work.now}
    for action, state in ((ATTACKS[0], EntryState.REFUSED), ("MESSAGE", EntryState.UNCERTAIN)):
        work.use(OutboxRepository).add(Entry(**of, **when, action=action, state=state, error=ATTACKS[1]))
    admin = Actor(user_id=1, name="Admin", is_admin=True)
    before: Interaction = load(work, admin, GlobalId("cnv", number))
    told = SyncRefused(action="MESSAGE", entry_id=1)
    write(work, CONNECTION, before, retroubled(work, before), Command.UPDATE, told)


async def test_admin_settles_what_another_system_refused(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as address:
        given = {"system": "HTTP", "name": "Bot"}
        create = "mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }"
        connection = (await ask(address, create, input=given))["createConnection"]["connection"]["id"]
        queue = await ask(
            address, "{ attentionQueue(filter: {kinds: [CONVERSATION]}) { nodes { id customer { name } } } }"
        )
        ref = queue["attentionQueue"]["nodes"][0]["id"]
        entries = f'{{ interaction(id: "{ref}") {{ upstream {{ entries {{ nodes {{ action state }} }} }} }} }}'
        async with administration(browser, address) as tab:
            await tab.run("document.querySelector('.parts a[href=\"#outbox\"]').click()")
            await tab.until(has("Nothing here yet", "document.querySelector('.part')"))
            async with opened(Settings(database_url=f"sqlite:///{tmp_path}/switchboard.db")) as database:
                await database.command(stick, int(ref.removeprefix("cnv_")), connection)
            await tab.until(f"{TITLES}.length === 1 && {TITLES}[0].endsWith('· {ref}')")
            assert await tab.run(has("The other system refused", "document.querySelector('.entry')")) is True
            await tab.run("document.querySelector('.entry [data-action=showEntries]').click()")
            await tab.until(f"{TOP}?.querySelectorAll('.entry').length === 2")
            await act(tab, "dropEntry", ATTACKS[0])
            await submit(tab)
            await tab.until(f"{TOP}.querySelectorAll('.entry').length === 1 && {has('Nobody knows', TOP)}")
            await act(tab, "retryEntry", "MESSAGE")
            await submit(tab)
            await tab.until(f"{has('Not done yet', TOP)}")
            assert (
                await tab.run(f"[...{TOP}.querySelectorAll('.entry button[data-action]')].every(b => b.hidden)") is True
            )
            await tab.press("Escape", "Escape", number=27)
            await tab.until(f"{CLOSED} && {has('Nothing here yet', 'document.querySelector(`.part`)')}")
        found = (await ask(address, entries))["interaction"]["upstream"]["entries"]["nodes"]
        assert found == [{"action": "MESSAGE", "state": "WAITING"}]


async def test_admin_page_shows_nobody_what_is_not_permitted(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as address:
        keys = []
        for permissions in (["TEAMS_MANAGE", "DIRECTORY_READ"], ["CONVERSATION_READ"]):
            made = await ask(
                address,
                "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }",
                input={"name": "narrowed", "permissions": permissions},
            )
            keys.append(made["createApiKey"]["secret"])
        async with administration(browser, address, keys[0]) as tab:
            await tab.until(has("Nothing here yet"))
            assert await tab.run(PARTS) == ["#teams"]
            await tab.run("location.hash = 'users'")
            await tab.until("document.querySelector('.part h2').textContent === 'Teams'")
        async with administration(browser, address, keys[1]) as tab:
            assert await tab.run(has("There is nothing for you to administer here."))
            assert await tab.run("document.querySelector('.parts')") is None
            links = "[...document.querySelectorAll('.menu-body a')].map(a => a.pathname)"
            assert await tab.run(links) == ["/", "/wall", "/graphql", "/about"]
