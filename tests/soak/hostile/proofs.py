"""What no flood shows: keys that come back or outlive others, secrets in logs, and settings that cannot be."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.core.actor import permission_name
from app.core.clock import rfc3339, utc_now
from tests.graph.running import mutation_text
from tests.serving import open_socket
from tests.soak.hostile.people import ALL_PERMISSIONS, Refused, ask, key_of_new_user, new_key, new_user
from tests.soak.hostile.target import Target
from tests.soak.hostile.wire import Line, post, request
from tests.soak.processes import KEY, ROOT, Process

_HANDSHAKES = 300
_TOLERATED_LOG = 16 * 1024
_MOST_KEYS = 1_200
_STARTS_WITHIN = 20.0

_VIEWER = "{ viewer { user { id } permissions } }"
_CURRENT = "{ viewer { apiKey { id } } }"
_REVOKE = mutation_text("revokeApiKey")
_LISTENERS = "{ attentionSummary(groupBy: KIND) { listeners } }"
_ALERTS = "subscription { attentionChanged { topic } }"


@dataclass(frozen=True)
class Ground:
    """What a proof stands on: the database of the attacks, a folder, and the settings of the servers."""

    target: Target
    folder: Path
    settings: Mapping[str, str]

    @asynccontextmanager
    async def served(self, name: str, **settings: str) -> AsyncIterator[Process]:
        """A server. Raises RuntimeError when it does not start."""
        process = Process(name, self.target.database_url, self.folder, {**self.settings, **settings})
        await process.start()
        try:
            yield process
        finally:
            await process.stop()


Proof = Callable[[Ground], Awaitable[list[str]]]
"""Gives what is wrong. The first line of its docstring says what it tries."""


async def key_in_query(on: Ground) -> list[str]:
    """Handshakes and requests with a key in the query, by the hundred: what is in the log?"""
    async with on.served("key-in-query", SWITCHBOARD_LOG_LEVEL="info") as process:
        key, before = on.target.able, process.log.stat().st_size
        for _ in range(_HANDSHAKES):
            with suppress(Exception):
                async with open_socket(process.port, begin=False, query=f"api_key={key}&{'x' * 4_000}"):
                    pass
        line = Line(process.port)
        await line.ask(request("GET", f"/graphql?query={{__typename}}&api_key={key}"))
        line.close()
    text = process.log.read_text(encoding="utf-8")
    grown = process.log.stat().st_size - before
    faults = ["the key is in the log"] if key in text else []
    return faults + ([f"the log grew by {grown / 1024:.0f} KB"] if grown > _TOLERATED_LOG else [])


async def child_keys(on: Ground) -> list[str]:
    """A key that ends in an hour, and is narrowed, makes others that never end and may more."""
    faults = []
    async with on.served("child-keys") as process:
        user = await new_user(process.port, "parent", ALL_PERMISSIONS)
        ends = rfc3339(utc_now() + timedelta(hours=1))
        narrow = ["USERS_MANAGE", "SESSION_READ"]
        parent = await new_key(process.port, KEY, userId=user, expiresAt=ends, permissions=narrow)
        for given in (
            {},
            {"expiresAt": rfc3339(utc_now() + timedelta(days=900))},
            {"permissions": list(map(permission_name, ALL_PERMISSIONS))},
        ):
            try:
                child = await new_key(process.port, parent["secret"], **given)
            except Refused:
                continue
            if child["expiresAt"] is None or child["expiresAt"] > parent["expiresAt"]:
                faults.append(f"made with {given}, a key ends at {child['expiresAt']}, its parent at {ends}")
            if child["permissions"] is None or not set(child["permissions"]) <= set(narrow):
                faults.append(f"made with {given}, a key may {child['permissions']}, its parent {narrow}")
    return faults


async def narrowed_key(on: Ground) -> list[str]:
    """A key narrowed to nothing revokes the other keys of its user."""
    async with on.served("narrowed-key") as process:
        user = await new_user(process.port, "narrowed", ALL_PERMISSIONS)
        other = await new_key(process.port, KEY, userId=user)
        narrow = await new_key(process.port, KEY, userId=user, permissions=[])
        with suppress(Refused):
            await ask(process.port, narrow["secret"], _REVOKE, input={"id": other["id"]})
        await asyncio.sleep(1.1)
        return [] if await _is_let_in(process.port, other["secret"]) else ["it was revoked"]


async def listeners_of_nobody(on: Ground) -> list[str]:
    """Somebody without permissions listens to alerts: is that counted as somebody who would be told?"""
    async with on.served("listeners") as process:
        before = (await ask(process.port, KEY, _LISTENERS))["attentionSummary"]["listeners"]
        async with open_socket(process.port, {"authorization": f"Bearer {on.target.nobody}"}) as socket:
            for number in range(5):
                await socket.subscribe(str(number), _ALERTS)
            await asyncio.sleep(1)
            after = (await ask(process.port, KEY, _LISTENERS))["attentionSummary"]["listeners"]
    return [] if after == before else [f"{after - before} listeners more are counted"]


async def keys_of_one_user(on: Ground) -> list[str]:
    """One user makes 1,200 keys."""
    async with on.served("keys") as process:
        secret = await key_of_new_user(process.port, "locksmith", ALL_PERMISSIONS)
        for _ in range(_MOST_KEYS):
            try:
                await new_key(process.port, secret)
            except Refused:
                return []
    return [f"{_MOST_KEYS} keys were made"]


async def silly_settings(on: Ground) -> list[str]:
    """Settings that cannot be: each has to stop the start with a line that says why."""
    foreign = on.folder / "foreign.db"
    foreign.write_text("This is no database.")
    cases: list[tuple[list[str], dict[str, str]]] = [
        *(
            ([], {f"SWITCHBOARD_{name}": "999999999d"})
            for name in ("EVENT_RETENTION", "IDEMPOTENCY_RETENTION", "ACCESS_TOKEN_LIFETIME", "SESSION_WINDOW")
        ),
        (["--port", "70000"], {}),
        (["--port", "-1"], {}),
        (["--host", "no.such.host.invalid"], {}),
        ([], {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{on.folder}"}),
        ([], {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{foreign}"}),
        ([], {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{on.folder}/no/such/folder.db"}),
        ([], {"SWITCHBOARD_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}),
        ([], {"SWITCHBOARD_KEY_PEPPER": ""}),
        ([], {"SWITCHBOARD_BOOTSTRAP_KEY": ""}),
        ([], {"SWITCHBOARD_READER_THREADS": "1000000000"}),
        ([], {"SWITCHBOARD_SHUTDOWN_GRACE": "-1"}),
        ([], {"SWITCHBOARD_MAX_DEPTH": "9" * 5_000}),
        ([], {"SWITCHBOARD_ESCALATION": "[" * 5_000}),
    ]
    found = [await _started(on, arguments, settings) for arguments, settings in cases]
    return [fault for fault in found if fault is not None]


async def bootstrap_comes_back(on: Ground) -> list[str]:
    """The bootstrap key is revoked, the pepper is changed, and the server starts with the same bootstrap key."""
    async with on.served("before") as process:
        other = await new_key(process.port, KEY)
        bootstrap = (await ask(process.port, KEY, _CURRENT))["viewer"]["apiKey"]["id"]
        await ask(process.port, other["secret"], _REVOKE, input={"id": bootstrap})
        faults = ["a revoked key is let in"] if await _is_let_in(process.port, KEY) else []
    for what, settings in (("the same pepper", {}), ("another pepper", {"SWITCHBOARD_KEY_PEPPER": "another"})):
        try:
            async with on.served("after", **settings) as process:
                if await _is_let_in(process.port, KEY):
                    faults.append(f"after a start with {what} the revoked bootstrap key is let in")
                elif settings:
                    faults.append("it starts with another pepper, with which no stored key can be checked")
        except RuntimeError as refused:
            if "Traceback" in str(refused):
                faults.append(f"the start with {what} ends in a traceback")
            elif not settings:
                faults.append(f"it does not start with {what}: {refused}")
    return faults


PROOFS: Mapping[str, Proof] = {
    proof.__name__.replace("_", "-"): proof
    for proof in (
        key_in_query,
        child_keys,
        narrowed_key,
        listeners_of_nobody,
        keys_of_one_user,
        silly_settings,
        # Last: it leaves no bootstrap key.
        bootstrap_comes_back,
    )
}


async def _is_let_in(port: int, key: str) -> bool:
    line = Line(port)
    try:
        return (await line.ask(post(_VIEWER, key=key))).status == 200
    finally:
        line.close()


async def _started(on: Ground, arguments: list[str], settings: Mapping[str, str]) -> str | None:
    """What is wrong with a start that has to be refused."""
    said = f"{' '.join(arguments)} {' '.join(f'{name}={value[:60]}' for name, value in settings.items())}".strip()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    base = {"PYTHONPATH": str(ROOT), "SWITCHBOARD_DATABASE_URL": f"sqlite:///{on.folder}/silly.db"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "app", "serve", *(arguments or ("--port", "0"))),
        env={**inherited, **base, **settings},
        cwd=on.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    reading: asyncio.Task[Any] = asyncio.create_task(process.communicate())
    done, _ = await asyncio.wait((reading,), timeout=_STARTS_WITHIN / 4)
    if not done:
        process.terminate()
        await asyncio.wait((reading,), timeout=_STARTS_WITHIN)
        if process.returncode is None:
            process.kill()
        await reading
        return f"{said}: it starts"
    text = reading.result()[1].decode()
    if "Traceback" in text:
        return f"{said}: a traceback: {text.strip().splitlines()[-1][:200]}"
    return None if process.returncode else f"{said}: it ends with status 0"
