"""The console in a browser: a team's work over the public graph, with hostile words and a server that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.browser.driver import Browser, Tab
from tests.browser.test_pages import OPEN, ask, raise_attention
from tests.command_line import CommandLine
from tests.soak.processes import KEY, Process, processes

pytestmark = pytest.mark.anyio

ROWS = "[...document.querySelectorAll('.rows > li:not(.leaving)')]"
STATE = "document.querySelector('.connection').dataset.state"
READY = f"{ROWS}.length > 3 && {STATE} === 'live'"
FOCUS = "document.activeElement.closest('li')?.dataset.key"
RECEIVE = "mutation ($input: ReceiveMessageInput!) { receiveMessage(input: $input) { errors { code message } } }"
ATTACKS = (
    "<img src=x onerror=alert(1)>",
    "<script>globalThis.hit = 1</script>",
    "\"'><svg onload=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "&lt;b&gt;&amp;",
    "\u202egnp.exe",
    "مرحبا 👩‍👩‍👧‍👦 " + "W" * 200,
)
ADDRESSES = (
    "javascript:alert(1)",
    " \u0001javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:x",
    "//elsewhere.example.com",
    "/relative",
    "",
)

_FILE = {"name": ATTACKS[1], "publicDownloadUrl": "https://files.example.com/b", "size": 1_500}
OTHER_CONTENTS: list[dict[str, Any]] = [
    {"image": {**_FILE, "mimeType": "image/png"}},
    {"video": {**_FILE, "mimeType": "video/mp4"}},
    {"audio": {**_FILE, "mimeType": "audio/ogg", "voice": True}},
    {"location": {"name": ATTACKS[0], "latitude": "59.9", "longitude": "10.7", "url": ADDRESSES[0]}},
    {
        "contact": {
            "name": {"formattedName": ATTACKS[1], "firstName": "Ada"},
            "org": {"title": ATTACKS[0], "company": "Acme"},
            "phones": [{"phone": "+47 1", "type": "WORK"}],
        }
    },
]
OTHER_CARDS = [
    ["A", ATTACKS[1], "Image · image/png · 1.5 kB"],
    ["A", ATTACKS[1], "Video · video/mp4 · 1.5 kB"],
    ["A", ATTACKS[1], "Voice message · audio/ogg · 1.5 kB"],
    ["SPAN", ATTACKS[0], "59.9, 10.7"],
    ["SPAN", ATTACKS[1], f"{ATTACKS[0]}, Acme", "+47 1 · WORK"],
]
"""What is shown of OTHER_CONTENTS: links to what may be opened, and words."""


@asynccontextmanager
async def server_with_demo(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """A real server with the demo, and its address."""
    url = f"sqlite:///{folder}/switchboard.db"
    async with processes(1, url, folder, {"SWITCHBOARD_GRAPHIQL_FOLDER": str(folder)}) as (server,):
        yield server, f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def console(browser: Browser, address: str, key: str = KEY) -> AsyncIterator[Tab]:
    """A tab at work, which complains of nothing and asks no other host."""
    async with browser.open_tab() as tab:
        await tab.open(f"{address}/#key={quote(key)}")
        await tab.until(READY)
        yield tab
        assert_own(tab, address)
        assert tab.errors == []


def assert_own(tab: Tab, address: str) -> None:
    own = (f"{address}/", f"ws{address.removeprefix('http')}/", "data:")
    assert [url for url in tab.requests if not url.startswith(own)] == []
    assert [url for url in tab.requests if "key=" in url and "#key=" not in url] == []


async def make_colleague(address: str) -> str:
    """The key of a user Bo who may do everything."""
    made = await ask(
        address,
        'mutation { createUser(input: {login: "bo.console", name: "Bo", roles: ["admin"]}) { user { id } } }',
    )
    user = made["createUser"]["user"]["id"]
    made = await ask(
        address,
        'mutation ($id: ID!) { createApiKey(input: {userId: $id, name: "console"}) { secret errors { code } } }',
        id=user,
    )
    secret: str = made["createApiKey"]["secret"]
    return secret


async def write_as_customer(address: str) -> str:
    """Have a customer write whom nobody works with yet, and say in which conversation: it needs a human from now on."""
    interaction: str = (await ask(address, OPEN))["interactions"]["nodes"][0]["id"]
    await ask(
        address, "mutation ($id: ID!) { releaseInteraction(input: {id: $id}) { errors { code } } }", id=interaction
    )
    given = {"target": {"interactionId": interaction}, "contents": [{"text": {"content": "Is anybody there?"}}]}
    assert (await ask(address, RECEIVE, input=given))["receiveMessage"]["errors"] == []
    return interaction


def remove_database(folder: Path) -> None:
    for file in folder.glob("switchboard.db*"):
        file.unlink()


async def enter(tab: Tab) -> None:
    """Press Enter as a person does, which submits a form and follows a link."""
    key: dict[str, Any] = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    await tab.call("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
    await tab.call("Input.dispatchKeyEvent", type="keyUp", **key)


def has(text: str, place: str = "document.body") -> str:
    return f"{place}.innerText.includes({orjson.dumps(text).decode()})"


async def choose(tab: Tab, select: str, name: str) -> None:
    """Choose an option by its name, as soon as it is offered."""
    option = f"[...{select}.options].find(o => o.textContent === {orjson.dumps(name).decode()})"
    await tab.run(f"{select}.focus()")
    await tab.until(f"{option} !== undefined")
    await tab.run(f"{select}.value = {option}.value; {select}.dispatchEvent(new Event('change'))")


def row(interaction: str) -> str:
    return f"document.querySelector('.rows > li[data-key={interaction}]')"


async def test_console_signs_in_and_out_by_key(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), browser.open_tab() as tab:
        await tab.open(f"{address}/")
        await tab.until("document.activeElement.id === 'key'")
        await tab.write("no such key")
        await enter(tab)
        await tab.until(has("This key is not accepted."))
        assert await tab.run("sessionStorage.length") == 0
        await tab.write(KEY)  # over the wrong one, which is selected
        await enter(tab)
        await tab.until(READY)
        assert await tab.run("[location.href, localStorage.length]") == [f"{address}/", 1]
        # It lasts as long as the tab, and is in no address.
        await tab.call("Page.reload")
        await tab.until(READY)
        await tab.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Sign out').click()")
        await tab.until("document.activeElement.id === 'key'")
        assert await tab.run("sessionStorage.length") == 0
        await tab.call("Page.navigate", url=f"{address}/#key={quote(KEY)}")
        await tab.until(READY)
        assert await tab.run("[location.href, history.length, sessionStorage.length]") == [f"{address}/", 3, 1]
        assert_own(tab, address)
        assert [error for error in tab.errors if "401" not in error] == []


async def test_console_team_works_through_the_queue_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address):
        key = await make_colleague(address)
        async with console(browser, address) as tab, console(browser, address, key) as other:
            # An alert arrives in both windows without a reload, where it belongs.
            interaction = await write_as_customer(address)
            await tab.run("globalThis.isSameDocument = true")
            for window in (tab, other):
                await window.until(f"{row(interaction)} !== null")
            # Who does not see it is told.
            await other.until("document.querySelector('.unseen[role=status]').textContent !== ''")
            # By keys to its row, and claimed: the other window sees who has it.
            await tab.press("j", "KeyJ", number=74)
            await tab.until(f"{FOCUS} !== undefined")
            for _ in range(60):
                if await tab.run(FOCUS) == interaction:
                    break
                await tab.press("j", "KeyJ", number=74)
            assert await tab.run(FOCUS) == interaction
            await tab.press("c", "KeyC", number=67)
            await tab.until(has("With you", row(interaction)))
            await other.until(has("With Admin", row(interaction)))
            # The second to claim is told who was first.
            refused = "mutation ($id: ID!) { claimInteraction(input: {id: $id}) { errors { code } } }"
            free = "[...document.querySelectorAll('.rows > li')].map(l => l.dataset.key).find(k => k.startsWith('ses'))"
            session = await tab.run(free)
            await other.run(f"location.hash = 'open={session}'")
            await other.until("document.querySelector('switchboard-interaction .head h2') !== null")
            if await tab.run(f"{row(session)}.querySelector('.row-holder').textContent") == "":
                await ask(address, refused, id=session)
                await other.until(has("With Admin", "document.querySelector('.facts')"))
            # Opened, answered and annotated, all by keys.
            await tab.run(f"{row(interaction)}.querySelector('a').focus()")
            await enter(tab)
            await tab.until("document.querySelector('textarea') !== null")
            await other.run(f"location.hash = 'open={interaction}'")
            await tab.until(has("Also looking: Bo"))
            await tab.press("r", "KeyR", number=82)
            await tab.until("document.activeElement.tagName === 'TEXTAREA'")
            words = "Hello from the console\nwith a second line 👋"
            await tab.write(words)
            await other.until(has("Admin is typing"))
            await tab.press("Enter", "Enter", number=13, ctrl=True)
            # It leaves the queue of both, with who did it.
            await other.until(has("Answered by Admin", row(interaction)))
            sent = "[...document.querySelectorAll('.message.from-us:not(.pending) .text')].map(p => p.textContent)"
            for window in (tab, other):
                await window.until(f"{sent}.filter(text => text === {orjson.dumps(words).decode()}).length === 1")
            await tab.until("document.querySelectorAll('.pending').length === 0")
            await tab.press("Escape", "Escape", number=27)
            await tab.press("n", "KeyN", number=78)
            await tab.until("document.querySelector('switchboard-composer').classList.contains('is-note')")
            await tab.write("only for the team")
            await tab.press("Enter", "Enter", number=13, ctrl=True)
            await other.until(has("only for the team", "document.querySelector('.note')"))
            # Closed here, it is closed there.
            await tab.run("document.querySelector('[data-action=close]').click()")
            await other.until(has("Closed", "document.querySelector('.facts')"))
            await other.until(f"{row(interaction)} === null")
            assert await tab.run("isSameDocument") is True
            # One step back at a time: out of the field, then to the queue.
            await tab.press("Escape", "Escape", number=27)
            await tab.press("Escape", "Escape", number=27)
            await tab.until("!document.querySelector('switchboard-workplace').classList.contains('has-open')")
            await tab.screenshot(tmp_path / "console.png")


async def test_console_closing_ends_the_wait_of_who_was_read(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        interaction = await write_as_customer(address)
        await tab.run(f"location.hash = 'open={interaction}'")
        await tab.until("document.querySelector('[data-action=close]') !== null")
        await tab.run("document.querySelector('[data-action=close]').click()")
        await tab.until(has("Closed by Admin", row(interaction)))
        found = await ask(
            address,
            "query ($id: ID!) { interaction(id: $id) { state waitingSince unreadCustomerMessagesCount } }",
            id=interaction,
        )
        assert found["interaction"] == {"state": "CLOSED", "waitingSince": None, "unreadCustomerMessagesCount": 0}


async def test_console_tells_who_claimed_first(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        key = await make_colleague(address)
        interaction = await write_as_customer(address)
        await tab.until(f"{row(interaction)} !== null")
        # Bo is faster, and this window has not heard of it yet: its claim is sent by the model, past the buttons.
        claimed = f"""fetch('/graphql', {{method: 'POST', body: JSON.stringify({{query:
            'mutation {{ claimInteraction(input: {{id: "{interaction}"}}) {{ errors {{ code }} }} }}'}}),
            headers: {{'content-type': 'application/json', authorization: 'Bearer {key}'}}}}).then(r => r.json())"""
        answer = await tab.run(claimed)
        assert answer["data"]["claimInteraction"]["errors"] == []
        await tab.run(f"{row(interaction)}.querySelector('a').focus()")
        await tab.press("c", "KeyC", number=67)
        await tab.until(has("Bo has this already.", "document.querySelector('.notices')"))


async def test_console_shows_hostile_words_as_words(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        interaction = await raise_attention(address)
        customer = (
            await ask(address, "query ($id: ID!) { interaction(id: $id) { customer { id } } }", id=interaction)
        )["interaction"]["customer"]["id"]
        rename = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { errors { code message } } }"
        named: dict[str, Any] = {"id": customer, "name": ATTACKS[0]}
        assert (await ask(address, rename, input=named))["updateCustomer"]["errors"] == []
        for attack in ATTACKS:
            document = {
                "mimeType": "text/plain",
                "filename": attack,
                "caption": attack,
                "publicDownloadUrl": "https://files.example.com/a",
            }
            given = {
                "target": {"interactionId": interaction},
                "contents": [{"text": {"content": attack}}, {"document": document}],
            }
            assert (await ask(address, RECEIVE, input=given))["receiveMessage"]["errors"] == []
        given = {"target": {"interactionId": interaction}, "contents": OTHER_CONTENTS}
        assert (await ask(address, RECEIVE, input=given))["receiveMessage"]["errors"] == []
        note = "mutation ($input: AddNoteInput!) { addNote(input: $input) { errors { code } } }"
        assert (await ask(address, note, input={"id": interaction, "text": ATTACKS[1]}))["addNote"]["errors"] == []
        await tab.run(f"location.hash = 'open={interaction}'")
        await tab.until(f"document.querySelectorAll('.message').length > {len(ATTACKS)}")
        cards = "[...[...document.querySelectorAll('.message')].at(-1).querySelectorAll('.file')]"
        assert (
            await tab.run(
                f"{cards}.map(card => [card.firstChild.tagName, ...[...card.children].map(e => e.textContent)])"
            )
            == OTHER_CARDS
        )
        shown = await tab.run("[...document.querySelectorAll('.message .text, .note .text')].map(p => p.textContent)")
        for attack in ATTACKS:
            assert shown.count(attack) >= 2, attack  # as a text and as a caption
        assert await tab.run("document.querySelector('.head h2').textContent") == ATTACKS[0]
        files = await tab.run("[...document.querySelectorAll('.file-name')].map(a => [a.textContent, a.href, a.rel])")
        assert [attack, "https://files.example.com/a", "noopener noreferrer"] in files
        made = "document.querySelectorAll('switchboard-workplace :is(img, script, svg, iframe, object, b)').length"
        assert await tab.run(made) == 0
        assert await tab.run("'hit' in globalThis") is False
        # Nothing is wider than the page, down to a phone's.
        await tab.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
        assert await tab.run("document.documentElement.scrollWidth") == 390
        assert await tab.run("document.querySelector('switchboard-timeline').scrollWidth") <= 390


async def test_console_links_lead_to_the_web_alone(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        module = "import('/assets/console/view/dom.js')"
        for text in ADDRESSES:
            given = orjson.dumps(text).decode()
            assert await tab.run(f"{module}.then(m => m.safeAddress({given}))") is None, text
            assert await tab.run(f"{module}.then(m => m.linkTo({given}, 'x').tagName)") == "SPAN", text
        links = f"{module}.then(m => m.h('p', {{}}, m.linked(%s)).querySelectorAll('a'))"
        shown = f"{links}.then(all => [...all].map(a => [a.href, a.rel]))"
        found = await tab.run(shown % orjson.dumps("see https://example.com/a?b=1. javascript:alert(1) <b>").decode())
        assert found == [["https://example.com/a?b=1", "noopener noreferrer"]]
        with pytest.raises(AssertionError, match="TrustedHTML"):
            await tab.run("document.body.innerHTML = '<b>x</b>'")
        tab.errors.clear()  # that the browser refused it is said there as well


async def test_console_comes_back_when_the_server_does(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (server, address), browser.open_tab() as tab:
        conversation = await write_as_customer(address)
        await tab.open(f"{address}/#key={quote(KEY)}")
        await tab.until(READY)
        before = await tab.run(f"{ROWS}.length")
        await tab.run(f"location.hash = 'open={conversation}'")
        await tab.until("document.querySelector('textarea')?.disabled === false")
        await server.kill()
        await tab.until(f"{STATE} === 'reconnecting'")
        assert await tab.run(f"{ROWS}.length") == before
        # What is written meanwhile waits to be sent again, and is sent once.
        await tab.run("document.querySelector('textarea').focus()")
        await tab.write("written while the server was away")
        await tab.press("Enter", "Enter", number=13, ctrl=True)
        await tab.until(has("Not sent: The server cannot be reached.", "document.querySelector('.pending')"))
        await server.start()
        interaction = await raise_attention(address)
        await tab.until(f"{STATE} === 'live' && {row(interaction)} !== null")
        await tab.run(
            "[...document.querySelectorAll('.pending button')].find(b => b.textContent === 'Try again').click()"
        )
        await tab.until("document.querySelector('.pending') === null")
        sent = "[...document.querySelectorAll('.message .text')].filter(p => p.textContent.startsWith('written'))"
        assert await tab.run(f"{sent}.length") == 1
        assert_own(tab, address)


async def test_console_narrows_the_queue_to_a_team(browser: Browser, tmp_path: Path) -> None:
    select = "[...document.querySelectorAll('.filters select')].find(s => s.ariaLabel === 'Team')"
    assign = "mutation ($id: ID!, $team: ID) { assignTeam(input: {id: $id, teamId: $team}) { errors { code } } }"
    async with server_with_demo(tmp_path) as (_, address):
        made = await ask(address, 'mutation { createTeam(input: {name: "Glaziers"}) { team { id } } }')
        team = made["createTeam"]["team"]["id"]
        interaction = await write_as_customer(address)
        async with console(browser, address) as tab:
            await choose(tab, select, "Glaziers")
            await tab.until(f"{ROWS}.length === 0 && {has('Nobody is waiting')}")
            # What comes to the team comes into the list, and what goes leaves it.
            await ask(address, assign, id=interaction, team=team)
            await tab.until(f"{ROWS}.length === 1 && {row(interaction)} !== null")
            await ask(address, assign, id=interaction, team=None)
            await tab.until(f"{ROWS}.length === 0")
            await choose(tab, select, "No team")
            await tab.until(f"{ROWS}.length > 1 && {row(interaction)} !== null")
            # It is still chosen after a reload.
            await tab.run("globalThis.isOld = true; location.reload()")
            await tab.until(f"!globalThis.isOld && {READY} && {select}.selectedOptions[0].textContent === 'No team'")


CUT = """(() => {
    globalThis.whole ??= { fetch, WebSocket };
    let arrives = true;
    // The first message arrives, and nothing else.
    globalThis.fetch = async (address, given) => {
        if (given?.body?.includes("mutation Send(") && arrives) {
            arrives = false;
            await whole.fetch.call(globalThis, address, given);
        }
        throw new TypeError("no network");
    };
    globalThis.WebSocket = class {
        static OPEN = whole.WebSocket.OPEN;
        constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
        close() {}
    };
    dispatchEvent(new Event("offline"));
})()"""


async def test_console_sends_once_what_the_network_cut_off(browser: Browser, tmp_path: Path) -> None:
    written = "[...document.querySelectorAll('.message.from-us:not(.pending) .text')].map(p => p.textContent)"
    unsent = "[...document.querySelectorAll('.pending')].filter(m => m.innerText.includes('Not sent'))"
    again = "[...document.querySelectorAll('.pending button')].filter(b => b.textContent === 'Try again')"
    messages = "query ($id: ID!) { interaction(id: $id) { messages(last: 5) { nodes { author text } } } }"
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        interaction = await write_as_customer(address)

        async def stored() -> list[str]:
            found = (await ask(address, messages, id=interaction))["interaction"]["messages"]["nodes"]
            return [each["text"] for each in found if each["text"].startswith(begin)]

        async def mend(what: str) -> None:
            await tab.run(f"void (globalThis.{what} = whole.{what})")

        async def hear_again() -> None:
            await mend("WebSocket")
            await tab.until(f"{STATE} === 'live'")

        await tab.run(f"location.hash = 'open={interaction}'")
        await tab.until("document.querySelector('textarea')?.disabled === false")
        for begin, is_heard_first in (("Unheard", False), ("Heard", True)):
            words = [f"{begin} {what}" for what in ("and arrived, but for its answer.", "and never left.")]
            await tab.run(CUT)
            await tab.until(f"{STATE} === 'reconnecting'")
            for number, text in enumerate(words, start=1):
                await tab.run("document.querySelector('textarea').focus()")
                await tab.write(text)
                await tab.press("Enter", "Enter", number=13, ctrl=True)
                await tab.until(f"{unsent}.length === {number}")
            assert await stored() == words[:1]
            # The event of the first one tells of it, or else its answer when it is sent again.
            if is_heard_first:
                await hear_again()
                await tab.until(f"{unsent}.length === 1")
            await mend("fetch")
            await tab.run(f"{again}.forEach(button => button.click())")
            await tab.until("document.querySelector('.pending') === null")
            assert await stored() == words
            await hear_again()
            # What comes next shows that nothing else was on its way.
            given = {"target": {"interactionId": interaction}, "contents": [{"text": {"content": f"{begin}, thanks."}}]}
            assert (await ask(address, RECEIVE, input=given))["receiveMessage"]["errors"] == []
            await tab.until(has(f"{begin}, thanks.", "document.querySelector('switchboard-timeline')"))
            shown = f"{written}.filter(text => text.startsWith('{begin}'))"
            assert await tab.run(shown) == words


async def test_console_reads_anew_what_it_cannot_resume(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (server, address), browser.open_tab() as tab:
        await tab.open(f"{address}/#key={quote(KEY)}")
        await tab.until(READY)
        before = await tab.run(f"{ROWS}.length")
        interaction = await raise_attention(address)
        await tab.until(f"{row(interaction)} !== null")
        # Another database, in which less has happened: it knows no such cursor.
        await server.kill()
        await asyncio.to_thread(remove_database, tmp_path)
        await server.start()
        await tab.until(f"{STATE} === 'live' && {row(interaction)} === null")
        assert await tab.run(f"{ROWS}.length") == before
        interaction = await raise_attention(address)
        await tab.until(f"{row(interaction)} !== null")


async def test_console_comes_back_after_a_sleep_in_which_the_network_died(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        # What is said into the dead connection arrives nowhere, and nobody says that it is dead.
        await tab.run(
            """(() => {
                const { send } = WebSocket.prototype;
                WebSocket.prototype.send = function (text) {
                    globalThis.dead ??= this;
                    if (this !== dead) send.call(this, text);
                };
                document.dispatchEvent(new Event('visibilitychange'));
            })()"""
        )
        await tab.until("globalThis.dead?.readyState > WebSocket.OPEN")
        interaction = await raise_attention(address)
        await tab.until(f"{STATE} === 'live' && {row(interaction)} !== null")


async def test_console_of_an_earlier_edition_is_loaded_anew_when_nobody_works(browser: Browser, tmp_path: Path) -> None:
    renew = "document.querySelector('.new-edition button')"
    async with server_with_demo(tmp_path) as (server, address), browser.open_tab() as tab:
        conversation = await write_as_customer(address)
        await tab.open(f"{address}/#key={quote(KEY)}")
        await tab.until(READY)
        await tab.run(f"location.hash = 'open={conversation}'")
        await tab.until("document.querySelector('textarea')?.disabled === false")
        await tab.run("document.querySelector('textarea').focus()")
        await tab.write("half a thought")
        await tab.press("Escape", "Escape", number=27)
        # This page is of another edition, and its minutes are short.
        await tab.run(
            """(() => {
                document.querySelector('meta[name=edition]').content = 'another';
                const { setTimeout: set } = globalThis;
                globalThis.minutes = 0;
                globalThis.setTimeout = (f, after, ...more) =>
                    after < 60_000 ? set(f, after, ...more) : set(() => (minutes++, f()), 20);
            })()"""
        )
        await tab.press("?", "Slash", number=191)
        await tab.until("document.querySelector('dialog[open]') !== null")
        assert await tab.run(f"{renew}.hidden") is True
        await server.kill()
        await tab.until(f"{STATE} === 'reconnecting'")
        await server.start()
        # It is said, and nothing is taken away from who has something open.
        await tab.until(f"{renew}.hidden === false && minutes > 5")
        await tab.run("document.querySelector('dialog[open]').close()")
        await tab.until(f"globalThis.minutes === undefined && {READY}")
        await tab.until("document.querySelector('textarea')?.value === 'half a thought'")
        assert await tab.run(f"[location.href, {renew}.hidden]") == [f"{address}/#open={conversation}", True]
        # What one person began is not for the next.
        await tab.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Sign out').click()")
        assert await tab.run("sessionStorage.length") == 0
        assert_own(tab, address)


async def test_console_speaks_another_language_and_is_quiet_until_asked(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        switches = "[...document.querySelectorAll('.menu-body input')].map(box => box.checked)"
        assert await tab.run(switches) == [False, False]
        languages = "document.querySelector('.menu-body select')"
        for language, title in (("de", "Warteschlange"), ("es", "Cola"), ("en", "Queue")):
            await tab.run(f"{languages}.value = '{language}'; {languages}.dispatchEvent(new Event('change'))")
            await tab.until(f"document.querySelector('.queue-title h2')?.textContent === '{title}' && {READY}")
            assert await tab.run("document.documentElement.lang") == language


async def test_console_wallboard_counts_live_for_who_only_reads(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), browser.open_tab() as tab:
        made = await ask(
            address,
            "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }",
            input={"name": "wall", "permissions": ["CONVERSATION_READ", "SESSION_READ"]},
        )
        await tab.open(f"{address}/wall#key={quote(made['createApiKey']['secret'])}")
        number = "document.querySelector('.wall-totals .wall-number').textContent"
        levels = "[...document.querySelectorAll('[data-level] .wall-number')].map(n => Number(n.textContent))"
        await tab.until(f"Number({number}) > 0 && document.querySelectorAll('.tile').length === 9")
        before = int(await tab.run(number))
        assert await tab.run("location.href") == f"{address}/wall"
        assert sum(await tab.run(levels)) == before
        await tab.until(has("Nobody listens"))
        await write_as_customer(address)
        await tab.until(f"{number} === '{before + 1}' && {levels}.reduce((a, b) => a + b) === {before + 1}")
        # The hour counts the customer's message; a reload goes on with it, by the cursor and not twice.
        arrivals = "document.querySelectorAll('figure.tile .wall-number')[1].textContent"
        await tab.until(f"{arrivals} === '1'")
        await tab.until("JSON.parse(sessionStorage.getItem('switchboard.hour')).spans.some(s => s[1].arrivals === 1)")
        await tab.call("Page.reload")
        await tab.until(f"{number} === '{before + 1}' && {arrivals} === '1'")
        # The demo has a reply window that ends soon, and users who are present.
        await tab.until(f"{has('due soon')} || {has('overdue')}")
        await tab.until(has("Ingrid", "document.querySelector('.wall-present')"))
        absent = "mutation ($id: ID!) { setPresence(input: {userId: $id, present: false}) { errors { code } } }"
        users = (await ask(address, "{ users(first: 50) { nodes { id name } } }"))["users"]["nodes"]
        ingrid = next(user["id"] for user in users if user["name"] == "Ingrid")
        assert (await ask(address, absent, id=ingrid))["setPresence"]["errors"] == []
        await tab.until(f"!{has('Ingrid', 'document.body')}")
        for width, height in ((1_400, 900), (700, 450), (400, 800)):
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            assert await tab.run("document.documentElement.scrollWidth") <= width
        # Signed out, nothing of the hour is kept.
        await tab.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Sign out').click()")
        assert await tab.run("sessionStorage.length") == 0
        assert_own(tab, address)
        assert tab.errors == []


async def test_console_daily_work_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    down: Any = ("ArrowDown", "ArrowDown")
    labels = "[...document.querySelectorAll('.labels .chip span')].map(s => s.textContent)"
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        await make_colleague(address)
        interaction = await write_as_customer(address)
        await tab.until(f"{row(interaction)} !== null")
        await tab.run(f"location.hash = 'open={interaction}'")
        await tab.until("document.querySelector('[data-action=assign]') !== null")
        # A label, which the queue can then be narrowed to.
        await tab.press("l", "KeyL", number=76)
        await tab.write("broken glass")
        await enter(tab)
        await tab.until(f"{labels}.includes('broken glass')")
        await tab.press("Escape", "Escape", number=27)
        await tab.until("document.activeElement.tagName === 'H2'")
        select = "document.querySelector('.filters select:last-child')"
        await choose(tab, select, "broken glass")
        await tab.until(f"{ROWS}.length === 1 && {row(interaction)} !== null")
        # Assigned to a colleague, whom the server offers, and taken from them.
        await tab.run("document.querySelector('switchboard-interaction h2').focus()")
        await tab.press("a", "KeyA", number=65)
        await tab.until("document.querySelectorAll('switchboard-assign li').length > 2")
        await tab.write("Bo")
        await tab.until("document.querySelector('switchboard-assign li').innerText.startsWith('Bo')")
        await tab.press(*down, number=40)
        await enter(tab)
        await tab.until(has("With Bo", row(interaction)))
        await tab.until("document.activeElement.dataset.action === 'assign'")
        await tab.press("a", "KeyA", number=65)
        await tab.until(has("To me, from Bo", "document.querySelector('switchboard-assign')"))
        await tab.press(*down, number=40)
        await enter(tab)
        await tab.until(has("With you", row(interaction)))
        # Who did what, the latest first.
        await tab.press("h", "KeyH", number=72)
        await tab.until(has("With: – → Bo", "document.querySelector('.history')"))
        said = await tab.run("document.querySelector('.history').innerText")
        assert said.index("With: Bo → Admin") < said.index("With: – → Bo") < said.index("Labels changed")
        await tab.press("Escape", "Escape", number=27)
        await tab.until("!document.querySelector('switchboard-history dialog').open")
        # What was changed elsewhere meanwhile is not undone: the page says so, and shows it as it is now.
        await tab.run("document.querySelector('switchboard-interaction').do('assign', {ifVersion: 1, userId: null})")
        await tab.until(has("It changed meanwhile.", "document.querySelector('.notices')"))
        # Closed, it is found all the same.
        close = "mutation ($id: ID!) { closeInteraction(input: {id: $id}) { errors { code } } }"
        assert (await ask(address, close, id=interaction))["closeInteraction"]["errors"] == []
        await tab.run("location.hash = ''")
        await tab.until("!document.querySelector('.has-open')")
        await tab.press("/", "Slash", number=191)
        await tab.write("anybody there")
        await tab.until("document.querySelectorAll('.results li').length > 0")
        await tab.press(*down, number=40)
        assert await tab.run(FOCUS) == interaction
        await enter(tab)
        await tab.until("document.querySelector('[data-action=reopen]') !== null")
        # At 200 % zoom nothing is wider than the page, and every control has a name.
        await tab.call("Emulation.setDeviceMetricsOverride", width=700, height=450, deviceScaleFactor=2, mobile=False)
        assert await tab.run("document.documentElement.scrollWidth") <= 700
        controls = "[...document.querySelectorAll('button, input, select, textarea, summary, a[href]')]"
        named = "control.textContent.trim() || control.ariaLabel || control.labels?.length"
        assert await tab.run(f"{controls}.filter(control => !({named})).map(control => control.outerHTML)") == []
        # An element that a list moves keeps the focus.
        moved = """import('/assets/console/view/dom.js').then(({h, keep}) => {
            const place = h('div'), make = () => Object.assign(h('button'), {update() {}});
            document.body.append(place);
            keep(place, [1, 2], n => n, make);
            place.lastElementChild.focus();
            keep(place, [2, 3, 1], n => n, make);
            const key = document.activeElement.dataset.key;
            place.remove();
            return key; })"""
        assert await tab.run(moved) == "2"
        # The label is removed.
        await tab.run("document.querySelector('.chip button').click()")
        await tab.until(f"{labels}.length === 0")


async def test_console_works_where_its_documents_alone_are_trusted(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    added = await asyncio.to_thread(
        CommandLine(tmp_path), "documents", "add", "--console", documents_folder=str(folder)
    )
    assert added.returncode == 0
    settings = {
        "SWITCHBOARD_DOCUMENTS_FOLDER": str(folder),
        "SWITCHBOARD_DOCUMENTS_ONLY": "true",
        "SWITCHBOARD_GRAPHIQL_FOLDER": str(folder),
    }
    url = f"sqlite:///{tmp_path}/switchboard.db"
    async with processes(1, url, tmp_path, settings) as (server,), browser.open_tab() as tab:
        await tab.open(f"http://127.0.0.1:{server.port}/#key={quote(KEY)}")
        await tab.until(READY)
        await tab.run(f"{ROWS}[0].querySelector('a').click()")
        await tab.until("document.querySelector('textarea') !== null")
        sent = orjson.dumps(
            {
                "method": "POST",
                "headers": {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
                "body": '{"query": "{ __typename }"}',
            }
        ).decode()
        answer = await tab.run(f"fetch('/graphql', {sent}).then(r => r.json())")
        assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        # Every document of the page is one of the folder's, byte for byte.
        names = ("documents.js", "administration.js", "access.js")
        modules = ", ".join(f"import('/assets/console/graph/{name}')" for name in names)
        texts = f"Promise.all([{modules}]).then(all => all.flatMap(m => Object.values(m)))"
        found = await tab.run(f"{texts}.then(all => all.flatMap(v => typeof v === 'string' ? [v] : Object.values(v)))")
        assert sorted(found) == sorted(file.read_text(encoding="utf-8") for file in folder.iterdir())
        assert [error for error in tab.errors if "40" not in error] == []


async def test_console_reacts_to_what_a_customer_wrote(browser: Browser, tmp_path: Path) -> None:
    menus = "[...document.querySelectorAll('.message.from-customer .react > summary')]"
    async with server_with_demo(tmp_path) as (_, address), console(browser, address) as tab:
        interaction = await write_as_customer(address)
        await tab.run(f"location.hash = 'open={interaction}'")
        await tab.until(
            f"{menus}.length > 0 && {has('Is anybody there?', 'document.querySelector(`switchboard-timeline`)')}"
        )
        # One stop of the Tab key: the latest, and the arrows lead to the others.
        assert await tab.run(f"{menus}.filter(menu => menu.tabIndex === 0).length") == 1
        await tab.run(f"{menus}.at(-1).focus()")
        await tab.run("document.activeElement.click()")
        await tab.run("document.querySelector('.react[open] [aria-label=Heart]').click()")
        await tab.until(has("Reaction: \u2764\ufe0f", "document.querySelector('switchboard-timeline')"))
        assert await tab.run(f"document.activeElement === {menus}.at(-1)") is True
        text = "{ latestCustomerMessage { text agentReaction } }"
        query = f"query ($id: ID!) {{ interaction(id: $id) {text} }}"
        stored = (await ask(address, query, id=interaction))["interaction"]["latestCustomerMessage"]
        assert stored == {"text": "Is anybody there?", "agentReaction": "\u2764\ufe0f"}
        # The same again takes it back.
        await tab.run("document.activeElement.click()")
        await tab.run("document.querySelector('.react[open] [aria-pressed=true]').click()")
        await tab.until(f"!{has('Reaction:', 'document.querySelector(`switchboard-timeline`)')}")


FED = """(async () => {
    const from = (name) => import(`/assets/console/models/${name}.js`);
    const [{ Queue }, { OpenInteraction }, { Sending, Sendings }, { Listing }] = await Promise.all(
        ["queue", "interaction", "sending", "listing"].map(from));
    // Every timer that is set and neither cleared nor over.
    const { setTimeout: set, clearTimeout: clear } = globalThis, timers = new Set();
    globalThis.setTimeout = (f, ...rest) => {
        const id = set(() => { timers.delete(id); f(); }, ...rest);
        timers.add(id);
        return id;
    };
    globalThis.clearTimeout = (id) => { timers.delete(id); clear(id); };
    const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
    const page = { pageInfo, cursor: "c" };
    const feeds = [];
    let queries = 0, most = 0;
    const head = { version: 1, viewerCan: {} };
    const graph = {
        connection: Object.assign(new EventTarget(), { state: "live" }),
        follow(feed) { feeds.push(feed); feed.read(); return () => {}; },
        hear(_document, _variables, take) { feeds.push({ take }); return () => {}; },
        async query() {
            queries++;
            return {
                attentionQueue: { ...page, nodes: [] },
                interaction: { ...head, messages: { ...page, nodes: [] }, notes: { nodes: [] } },
                users: { ...page, nodes: [] },
            };
        },
    };
    const settled = () => new Promise((go) => set(go, 0));
    const found = {};
    // A queue that only grows, for days.
    const queue = new Queue(graph, { kinds: [], whose: "all", teams: [], labels: [] });
    await settled();
    for (let n = 0; n < 3000; n++) {
        const key = String(n).padStart(9, "0");
        const interaction = { id: `cnv_${n}`, attention: { needed: true, level: "LOW", queueKey: key } };
        feeds[0].take({ change: "ENTERED", topic: "ATTENTION_RAISED", interactionId: interaction.id, interaction });
    }
    found.queue = queue.nodes.length;
    found.hasMore = queue.hasMore;
    // It became short, and what is behind its end is read.
    const before = queries;
    for (const { id } of queue.nodes.slice(0, 260)) feeds[0].take({ change: "LEFT", interactionId: id, topic: "X" });
    await settled();
    found.refilled = queries > before && !queue.hasMore;
    queue.close();
    // An interaction in which much is said and noted, and many type.
    const sendings = new Sendings(graph, () => {});
    const open = new OpenInteraction(graph, "cnv_1", sendings.open("cnv_1"));
    await settled();
    const [{ take }, { take: hear }] = feeds.slice(-2);
    for (let n = 0; n < 5000; n++) {
        take({ topic: "X", interaction: head, message: { id: `msg_${n}`, sentAt: "2026-01-01T00:00:00Z" } });
        most = Math.max(most, open.messages.length);
        if (n % 100 === 0) await settled();
    }
    for (let n = 0; n < 3000; n++) {
        take({ topic: "X", interaction: head, note: { id: `not_${n}`, createdAt: "2026-01-01T00:00:00Z" } });
    }
    found.messages = 2000 < most && most <= 2100;
    found.notes = open.notes.length;
    const until = new Date(Date.now() + 60_000).toISOString();
    for (let n = 0; n < 50; n++) hear({ user: { id: `usr_${n % 5}`, name: "x" }, until });
    found.timersWhileTyping = timers.size;
    open.close();
    found.timersAfter = timers.size;
    // Whoever looks through a thousand interactions leaves nothing behind.
    for (let n = 0; n < 1000; n++) {
        const each = new OpenInteraction(graph, `cnv_${n}`, sendings.open(`cnv_${n}`));
        await each.close();
    }
    found.sendings = sendings.size;
    sendings.open(null);
    found.sendingsAtTheEnd = sendings.size;
    // A list of the administration answers a thousand events by one reading.
    const list = { document: "", of: ({ users }) => users, changes: "subscription" };
    const listing = new Listing(graph, list);
    await settled();
    const asked = queries;
    for (let n = 0; n < 1000; n++) feeds.at(-1).take({});
    found.timersOfListing = timers.size;
    await new Promise((go) => set(go, 400));
    found.readings = queries - asked;
    feeds.at(-1).take({});
    listing.close();
    found.timersAtTheEnd = timers.size;
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    return found;
})()"""


BURST = """(async () => {
    const { Queue } = await import("/assets/console/models/queue.js");
    const node = (n, text, level = "LOW") => ({
        id: `cnv_${n}`, kind: "CONVERSATION", version: 1, customer: { name: `Customer ${n}` }, assignee: null,
        latestMessage: { text },
        attention: {
            needed: true, level, reason: "ALERT", since: "2026-01-01T00:00:00Z",
            queueKey: level + `${n}`.padStart(6, "0"),
        },
    });
    const nodes = Array.from({ length: 500 }, (_, n) => node(n, ""));
    const page = { cursor: "c", pageInfo: { hasNextPage: false }, nodes };
    let take;
    const graph = {
        follow(feed) { take = feed.take; feed.read(); return () => {}; },
        query: async (document) => document.includes("attentionQueue") ? { attentionQueue: page } : {},
    };
    const choice = { kinds: [], whose: "all", teams: [], labels: [] }, viewer = { user: { id: "usr_1" } };
    const panel = Object.assign(document.createElement("switchboard-queue"), { graph, viewer, choice });
    document.body.append(panel);
    panel.queue = new Queue(graph, choice);
    await new Promise((go) => setTimeout(go));
    const rows = panel.querySelector(":scope > .rows"), found = { rows: rows.children.length };
    const seen = new MutationObserver(() => {});
    seen.observe(rows, { subtree: true, childList: true, attributes: true, characterData: true });
    const change = (n, ...more) =>
        take({ change: "CHANGED", interactionId: `cnv_${n}`, interaction: node(n, ...more) });
    for (let n = 0; n < 100; n++) change(n * 5, `said ${n}`);
    found.changes = seen.takeRecords().length;
    found.isShown = rows.children[495].innerText.includes("said 99");
    change(7, "now", "HIGH");
    found.first = rows.firstElementChild.dataset.key;
    panel.remove();
    return found;
})()"""


async def test_console_draws_the_row_that_an_event_is_about_and_no_other(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), browser.open_tab() as tab:
        await tab.open(f"{address}/")
        await tab.until("document.querySelector('#key') !== null")
        found = await tab.run(BURST)
        assert (found["rows"], found["isShown"], found["first"]) == (500, True, "cnv_7")
        assert found["changes"] < 100 * 10
        assert tab.errors == []


async def test_console_models_keep_no_more_however_long_they_are_open(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), browser.open_tab() as tab:
        await tab.open(f"{address}/")
        await tab.until("document.querySelector('#key') !== null")
        assert await tab.run(FED) == {
            "queue": 500,
            "hasMore": True,
            "refilled": True,
            "messages": True,
            "notes": 2000,
            "timersWhileTyping": 5,
            "timersAfter": 0,
            "sendings": 1,
            "sendingsAtTheEnd": 0,
            "timersOfListing": 1,
            "readings": 1,
            "timersAtTheEnd": 0,
        }
        assert tab.errors == []
