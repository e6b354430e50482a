"""Two Switchboards: one has the demo, the other is connected to it."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.sealing import new_key
from app.demo.webhooks import Hook, Webhooks
from app.directory.model.key import new_token

_SECONDS = 60.0
_APP = [sys.executable, "-m", "app"]
_CONNECT = """
mutation($input: CreateConnectionInput!) {
  createConnection(input: $input) { connection { hookPath } secret errors { message } }
}
"""
_CUSTOMERS = "{ interactions(filter: {kinds: [SESSION]}, first: 100) { nodes { customer { customerKey } } } }"

_Server = subprocess.Popen[bytes]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve both until the terminal, or one of them, ends."""
    parser = argparse.ArgumentParser(prog="scripts/connect-demo", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="of the one that is attached; the other has the next one"
    )
    parser.add_argument(
        "--poll-seconds", type=float, default=10.0, help="how often is looked for what webhooks did not tell"
    )
    given = parser.parse_args(arguments)
    desk, other = (f"http://127.0.0.1:{port}" for port in (given.port, given.port + 1))
    desk_key, other_key = new_token(), new_token()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="switchboard-") as folder:
        common = {"SWITCHBOARD_LOG_LEVEL": "warning", "SWITCHBOARD_HOST": "127.0.0.1"}
        of_other = {**common, "SWITCHBOARD_PORT": str(given.port + 1)}
        of_desk = {
            **common,
            "SWITCHBOARD_PORT": str(given.port),
            "SWITCHBOARD_DEMO": "false",
            "SWITCHBOARD_SECRETS_KEY": new_key(),
            "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
        }
        servers: list[_Server] = []
        try:
            servers.append(_started(_environment(folder, "other", other_key, of_other)))
            servers.append(_started(_environment(folder, "desk", desk_key, of_desk)))
            for server, address in zip(servers, (other, desk), strict=True):
                _wait_for(server, address)
            webhooks = Webhooks(other, other_key, _attached(desk, desk_key, other, other_key, given.poll_seconds))
            webhooks.start()
            webhooks.following.wait(_SECONDS)
            _say(f"The other systems: {other}/graphql#key={other_key}")
            _say(f"Attached to them:  {desk}/graphql#key={desk_key}")
            _say(f"Its console:       {desk}/#key={desk_key}")
            _say("What is done in one is seen in the other within two seconds. Ctrl-C ends both.")
            while all(server.poll() is None for server in servers):
                time.sleep(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(timeout=_SECONDS)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _environment(folder: str, name: str, key: str, more: Mapping[str, str]) -> dict[str, str]:
    """The settings of one of the two, whatever the terminal's own are."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    database = f"sqlite:///{Path(folder, name)}.db"
    return {**own, **more, "SWITCHBOARD_DATABASE_URL": database, "SWITCHBOARD_BOOTSTRAP_KEY": key}


def _started(environment: Mapping[str, str]) -> _Server:
    return subprocess.Popen([*_APP, "serve"], env=environment, stdout=subprocess.DEVNULL)


def _wait_for(server: _Server, address: str) -> None:
    """Wait until it answers. Exits when it ends, or does not in time."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    sys.exit(f"{address} does not answer.")


def _attached(desk: str, desk_key: str, other: str, token: str, poll_seconds: float) -> Iterator[Hook]:
    """Connect the second to the first, which stands for four systems; their admins are the same person. Yields where
    the second takes the webhooks of each."""
    told: dict[str, object] = {"pollSeconds": poll_seconds}
    admin = {**told, "users": {"admin": 1}}
    personal = json.dumps({"token": token, "users": {"admin": token}})
    named = {each["customer"]["customerKey"] for each in _ask(other, token, _CUSTOMERS)["interactions"]["nodes"]}
    systems: tuple[tuple[str, str, str, str, Mapping[str, object]], ...] = (
        ("Bot", "VOICEBOT", "/third-party/v1", token, admin),
        ("Office", "SUPEROFFICE", "/api", personal, admin),
        ("Agents", "VECTARA", "", token, told),
        # No list of its contract names the customers.
        ("Lemon", "DIRTY_LEMON", "", token, {**told, "customers": sorted(named)}),
    )
    for name, system, path, credential, settings in systems:
        new = {"name": name, "system": system, "address": other + path, "credential": credential, "settings": settings}
        made = _ask(desk, desk_key, _CONNECT, input=new)["createConnection"]
        if made["errors"]:
            sys.exit(f"{name}: {made['errors'][0]['message']}")
        yield Hook(system, desk + made["connection"]["hookPath"], made["secret"])


def _ask(address: str, token: str, query: str, **variables: object) -> Any:
    """The data of the answer."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        return json.load(answer)["data"]


if __name__ == "__main__":
    main()
