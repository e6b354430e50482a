"""Counts that several processes share, in a Redis or Valkey server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from app.budgets.window import MINUTE, Usage
from app.settings import Settings, SettingsError, without_secrets

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE = 0.007
"""Seconds that one question may take. A request has seven at most, so it waits no longer than 50 ms."""

AGAIN = 1.0
"""Seconds between the questions that find out whether a lost store answers again."""

FAILURES = 3
"""How many questions in a row fail before the store is left alone."""

LONGEST = 1.0
"""Seconds after which a connection that does not answer is closed, while nobody waits for it any more."""

CONNECTIONS = 16
"""How many connections a process opens; a question takes one for a fraction of a millisecond."""

PREFIX = "switchboard"

_UNLIMITED = 2**53  # the largest number that the store's scripts count exactly
_PROBE = "probe"


class Unreachable(Exception):
    """The store did not answer. The message says why, without its address."""


class Store:
    """Asks the server, and never waits for it for long.

    An answer is None when there is none in time. After some failures in a row, the server is not asked by requests any
    more; one question a second finds out when it answers again. Its own clock counts, so that the clocks of the
    processes may differ and jump."""

    def __init__(
        self, storage: "RedisStorage", *, patience: float = PATIENCE, again: float = AGAIN, minute: float = MINUTE
    ) -> None:
        self.minute = minute
        self.fault: str | None = None
        """Why the store is not asked now; None while it is."""
        self.questions: Counter[str] = Counter()
        """How many questions were answered, failed, or were not asked."""
        self._storage = storage
        self._patience = patience
        self._again = again
        self._failures = 0
        self._asking: set[asyncio.Task[Any]] = set()
        self._returning: asyncio.Task[None] | None = None

    async def take(self, key: str, amount: float, share: float) -> bool | None:
        """Count the amount if it fits into the share; whether it did."""
        return await self._answer(
            lambda: self._storage.acquire_sliding_window_entry(key, int(share), int(self.minute), int(amount))
        )

    def add(self, key: str, amount: float) -> None:
        """Count the amount, also beyond any share. Nobody waits for it."""
        if self.fault is None:
            self._keep(asyncio.create_task(self.take(key, amount, _UNLIMITED)))
        else:
            self.questions["not_asked"] += 1

    async def usage(self, key: str) -> Usage | None:
        """What was used."""
        return await self._answer(lambda: self._usage(key))

    async def look(self, patience: float) -> None:
        """Raises Unreachable unless the server counts within so many seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._probe()
        except Exception as error:
            raise Unreachable(_reason(error)) from None

    async def _usage(self, key: str) -> Usage:
        found = await self._storage.get_sliding_window(key, int(self.minute))
        before, before_ends, now, now_ends = map(float, found)
        return Usage(before, before_ends, now, now_ends, self.minute)

    async def _probe(self) -> Usage:
        await self._storage.acquire_sliding_window_entry(_PROBE, _UNLIMITED, int(self.minute), 1)
        return await self._usage(_PROBE)

    async def _answer(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        if self.fault is not None:
            self.questions["not_asked"] += 1
            return None
        answered = self.questions["answered"]
        try:
            found = await self._in_time(ask)
        except Exception as error:  # whatever a server, or what stands in its place, may say
            self.questions["failed"] += 1
            # Where others were answered meanwhile, it has waited for its turn among them.
            if not isinstance(error, TimeoutError) or self.questions["answered"] == answered:
                self._failures += 1
            if self._failures >= FAILURES:
                self.leave(_reason(error))
            return None
        self.questions["answered"] += 1
        self._failures = 0
        return found

    async def _in_time(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer. Raises TimeoutError, and what asking raises.

        A question that is given up goes on until LONGEST, so that a connection that is being opened is there for the
        next one."""
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(_awaited(ask))
        self._keep(task)
        for _ in range(2):
            until = loop.time() + self._patience
            await asyncio.wait([task], timeout=self._patience)
            if task.done():
                return task.result()
            if loop.time() - until < self._patience:
                break
            # The loop itself was held up, which says nothing about the store.
        raise TimeoutError

    def _keep(self, task: "asyncio.Task[Any]") -> None:
        self._asking.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may have waited for it

    def leave(self, reason: str) -> None:
        """Ask nothing more until the server answers again."""
        if self.fault is None:
            self.fault = reason
            log.warning("the shared store is left: each process counts by itself", reason=reason)
            self._returning = asyncio.create_task(self._until_back())

    async def _until_back(self) -> None:
        while self.fault is not None:
            await asyncio.sleep(self._again)
            with suppress(Exception):
                await self._in_time(self._probe)
                self.fault, self._failures = None, 0
        log.info("the shared store is used again")

    async def close(self) -> None:
        """Give up what is asked, and close the connections."""
        tasks = [*self._asking, *([] if self._returning is None else [self._returning])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LONGEST)


async def _awaited(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _reason(error: Exception) -> str:
    """Why a question failed, in words of ours: what a server says may hold anything."""
    name = type(error).__name__
    if "Timeout" in name:
        return "It does not answer in time."
    if "Authentication" in name or "Authorization" in name or "Permission" in name:
        return "It refuses the user or the password."
    if "Connection" in name:
        return "It cannot be reached."
    return f"Its answer is of no use ({name})."


@asynccontextmanager
async def connected(
    address: str, *, patience: float = PATIENCE, again: float = AGAIN, minute: float = MINUTE
) -> AsyncIterator[Store]:
    """The store at this address until the end of the block; nothing is asked yet.

    Raises SettingsError when what it needs is not installed, and for an address with options that do not exist."""
    try:
        from limits.aio.storage import RedisStorage
        from valkey.asyncio import BlockingConnectionPool
    except ImportError as error:
        raise SettingsError(
            f'SWITCHBOARD_SHARED_STORE: {error.name} is not installed; `pip install "limits[valkey]>=5.8"` brings it, '
            "or leave the variable unset."
        ) from None
    # The certificate has to be that of the host, unless the address says otherwise.
    checked = {"ssl_check_hostname": True} if address.startswith(("rediss:", "valkeys:")) else {}
    try:
        pool: Any = BlockingConnectionPool.from_url(
            address,
            max_connections=CONNECTIONS,
            timeout=LONGEST,
            socket_timeout=LONGEST,
            socket_connect_timeout=LONGEST,
            **checked,
        )
        pool.make_connection()
        # Its annotation leaves out the pool, which its description names.
        given: Any = {"connection_pool": pool}
        storage = RedisStorage(address, implementation="valkey", key_prefix=PREFIX, **given)
    except Exception:
        # Without its words, in which the password may be.
        raise SettingsError("SWITCHBOARD_SHARED_STORE: the address has a part that cannot be used.") from None
    store = Store(storage, patience=patience, again=again, minute=minute)
    try:
        yield store
    finally:
        await store.close()
        with suppress(Exception):
            await pool.disconnect()


@asynccontextmanager
async def opened(
    settings: Settings, *, patience: float = PATIENCE, again: float = AGAIN, minute: float = MINUTE
) -> AsyncIterator[Store | None]:
    """The store of the settings until the end of the block, also while it does not answer; None when they name none.

    Raises SettingsError as `connected` does."""
    address = settings.shared_store
    if address is None:
        yield None
        return
    async with connected(address, patience=patience, again=again, minute=minute) as store:
        try:
            await store.look(LONGEST)
        except Unreachable as error:
            store.leave(str(error))
        else:
            log.info("callers' shares are counted together", store=without_secrets(address))
        yield store
