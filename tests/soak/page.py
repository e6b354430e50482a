"""The pages, open for days: a busy queue, much that is opened and closed, and breaks leave nothing behind in them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.browser.driver import CHROMIUM, Tab, running_browser
from tests.graph.running import mutation_text
from tests.soak.destinations import ask
from tests.soak.processes import KEY, processes
from tests.soak.traffic import Outcome

NEEDS = None if CHROMIUM else "Chromium on the PATH, as chromium, chromium-browser or google-chrome"
"""What this machine lacks for it."""

TOLERATED_NODES = 8
"""How many more nodes or listeners there may be after all rounds: a word that was empty, a wait that is told."""

TOLERATED_BYTES = 2 * 2**20
"""How much more memory: what the engine has compiled meanwhile."""

_WARMING_UP = 3
_OPENED = 3
_LABEL = "soak"
_TRIES = 20
_FREE = """query {
  interactions(first: 8, filter: {states: [OPEN], attentionNeeded: false, kinds: [CONVERSATION, SESSION]}) {
    nodes { id } } }"""
_LABELS, _RAISE, _CLEAR = map(mutation_text, ("addLabels", "raiseAttention", "clearAttention"))
_ROWS = "document.querySelectorAll('.rows > li').length"
_STATE = "document.querySelector('.connection')?.dataset.state"
_IS_READ = "!['Loading …', undefined].includes(document.querySelector('.part p.faint[role=status]')?.textContent)"
_DIALOG = "[...document.querySelectorAll('dialog[open]')].at(-1)"


@dataclass(frozen=True, slots=True)
class Held:
    """What a page holds: nodes of its document, listeners of events, and bytes of memory."""

    nodes: int
    listeners: int
    memory: int

    def __str__(self) -> str:
        return f"{self.nodes:,} nodes, {self.listeners:,} listeners, {self.memory / 2**20:.1f} MB"

    def is_back_at(self, before: "Held") -> bool:
        """Whether there are no more nodes and listeners, apart from what is tolerated."""
        more = max(self.nodes - before.nodes, self.listeners - before.listeners)
        return more <= TOLERATED_NODES


class Work:
    """What happens to interactions while pages are open: the only ones with a label of this run."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.refs: Sequence[str] = ()

    async def begin(self) -> None:
        """Label the interactions that call for somebody now and then."""
        found = await ask(self._port, _FREE)
        self.refs = [each["id"] for each in found["interactions"]["nodes"]]
        await self._each(_LABELS, labels=[_LABEL])

    async def call(self) -> None:
        """Have each call for somebody."""
        await self._each(_RAISE, level="HIGH")

    async def settle(self) -> None:
        """Have none call any more."""
        await self._each(_CLEAR)

    async def _each(self, mutation: str, **given: object) -> None:
        for ref in self.refs:
            await ask(self._port, mutation, input={"id": ref, **given})


Round = Callable[[Tab, Work], Awaitable[None]]


async def held_by(tab: Tab) -> Held:
    """What the page holds when nothing that was in it is kept for a while, as a row that fades is."""
    await tab.until("document.querySelector('.leaving, .notice, dialog[open]') === null")
    # A later timer of a page ends later: the clocks have been asked whether they are in the page.
    await tab.run("new Promise(then => setTimeout(then, 2_000))")
    for _ in range(2):
        await tab.call("HeapProfiler.collectGarbage")
    counted, heap = await tab.call("Memory.getDOMCounters"), await tab.call("Runtime.getHeapUsage")
    return Held(counted["nodes"], counted["jsEventListeners"], heap["usedSize"])


async def break_off(tab: Tab) -> None:
    """Have the network go and come back."""
    for offline, state in ((True, "offline"), (False, "live")):
        throughput = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await tab.call("Network.emulateNetworkConditions", offline=offline, **throughput)
        await tab.until(f"{_STATE} === '{state}'")


async def console_round(tab: Tab, work: Work) -> None:
    """Alerts come, some are opened and looked through, the network breaks, all are settled."""
    await work.call()
    await tab.until(f"{_ROWS} === {len(work.refs)}")
    for ref in work.refs[:_OPENED]:
        await tab.run(f"location.hash = 'open={ref}'")
        await tab.until(f"document.querySelector('[aria-current=true]')?.hash === '#open={ref}'")
        await tab.until(
            "document.querySelector('switchboard-person h2') !== null && document.querySelector('textarea') !== null"
        )
        await tab.press("n", "KeyN", number=78)
        await tab.until("document.activeElement.tagName === 'TEXTAREA'")
        await tab.write("begun, and not sent")
        await _filled(tab, "document.activeElement", "")
        await tab.write("noted")
        await tab.press("Enter", "Enter", number=13, ctrl=True)
        await tab.until("document.querySelector('.note') !== null && document.querySelector('.pending') === null")
        await tab.press("Escape", "Escape", number=27)
        await tab.press("h", "KeyH", number=72)
        await tab.until("document.querySelectorAll('.history li').length > 0")
        await tab.run(f"{_DIALOG}.close()")
        await tab.press("a", "KeyA", number=65)
        await tab.until("document.querySelectorAll('switchboard-assign li').length > 0")
    await break_off(tab)
    await tab.run("location.hash = ''")
    await tab.until("document.querySelector('.has-open') === null")
    # Not by keys: of what is typed into a field that stays, the browser keeps a node for each undo, up to a thousand.
    field = "document.querySelector('switchboard-search input')"
    await _filled(tab, field, "a")
    await tab.until("document.querySelectorAll('.results li').length > 0")
    await _filled(tab, field, "")
    await work.settle()
    await tab.until(f"{_ROWS} === 0")


async def wall_round(tab: Tab, work: Work) -> None:
    """The counts go up and down, and the network breaks."""
    waiting = "Number(document.querySelector('.wall-totals .wall-number').textContent)"
    await tab.until(f"{waiting} > 0")
    before = await tab.run(waiting)
    await work.call()
    await tab.until(f"{waiting} >= {before + len(work.refs)}")
    await break_off(tab)
    await work.settle()
    await tab.until(f"{waiting} <= {before}")


async def admin_round(tab: Tab, _work: Work) -> None:
    """Every part is shown, dialogs of users are opened and closed, the language changes, and the network breaks."""
    await tab.until("document.querySelector('.parts a') !== null")  # it is asked first what the caller may see
    for part in await tab.run("[...document.querySelectorAll('.parts a')].map(a => a.hash)"):
        await tab.run(f"document.querySelector('.parts a[href=\"{part}\"]').click()")
        await tab.until(f"document.querySelector('.parts [aria-current]').hash === '{part}' && {_IS_READ}")
    await tab.run("document.querySelector('.parts a').click()")
    for action in ("editUser", "showKeys", "showSessions", "showGrants", "showIdentities"):
        await tab.until(f"document.querySelector('.entry [data-action={action}]') !== null")
        await tab.run(f"document.querySelector('.entry [data-action={action}]').click()")
        await tab.until(f"{_DIALOG} !== undefined")
        await tab.run(f"{_DIALOG}.close()")
        await tab.until("document.querySelector('dialog') === null")
    for language in ("de", "en"):
        languages = "document.querySelector('.menu-body select')"
        await tab.run(f"{languages}.value = '{language}'; {languages}.dispatchEvent(new Event('change'))")
        await tab.until("document.querySelector('.entry') !== null")
    await break_off(tab)


async def _filled(tab: Tab, field: str, text: str) -> None:
    await tab.run(f"{field}.value = '{text}'; {field}.dispatchEvent(new Event('input'))")


PAGES: Mapping[str, Round] = {"/": console_round, "/wall": wall_round, "/admin": admin_round}


async def open_page(tab: Tab, address: str, path: str) -> None:
    """Show one of the pages; the console with what this run has labelled alone."""
    await tab.open(f"{address}{path}#key={quote(KEY)}")
    await tab.until(f"{_STATE} === 'live'")
    choice = f'{{"kinds": [], "whose": "all", "labels": ["{_LABEL}"]}}'
    await tab.run(f"localStorage.setItem('switchboard.filter', '{choice}')")
    await tab.run("location.reload()")
    await tab.until(f"{_STATE} === 'live' && sessionStorage.getItem('switchboard.key') !== null")


async def repeated(tab: Tab, work: Work, once: Round, rounds: int, *, first: int = _WARMING_UP) -> tuple[Held, Held]:
    """What the page holds after its `first` rounds, and after so many more."""
    for _ in range(first):
        await once(tab, work)
    before = await held_by(tab)
    for _ in range(rounds):
        await once(tab, work)
    for _ in range(_TRIES):
        after = await held_by(tab)
        if after.is_back_at(before):
            break
    return before, after


async def run(database_url: str, folder: Path, *, rounds: int) -> Outcome:
    """Go through so many rounds on each page, in one browser."""
    told, faults = [], []
    async with processes(1, database_url, folder) as (server,):
        work = Work(server.port)
        await work.begin()
        with running_browser() as browser:
            for path, once in PAGES.items():
                async with browser.open_tab() as tab:
                    await open_page(tab, f"http://127.0.0.1:{server.port}", path)
                    before, after = await repeated(tab, work, once, rounds)
                told.append(f"{path} {before}, then {after}")
                if not after.is_back_at(before) or after.memory > before.memory + TOLERATED_BYTES:
                    faults.append(f"{path} holds more than before")
        faults += server.failures()
    return Outcome(f"{rounds} rounds on each page: {'; '.join(told)}", faults)
