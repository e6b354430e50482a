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
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.core.sealing import new_key
from app.directory.model.key import new_token

_SECONDS = 60.0
_POLL = 1
_APP = [sys.executable, "-m", "app"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve both until the terminal, or one of them, ends."""
    parser = argparse.ArgumentParser(prog="scripts/connect-demo", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="of the one that is attached; the other has the next one"
    )
    port = parser.parse_args(arguments).port
    desk, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    desk_key, other_key = new_token(), new_token()
    with tempfile.TemporaryDirectory(prefix="switchboard-") as folder:
        common = {"SWITCHBOARD_LOG_LEVEL": "warning", "SWITCHBOARD_HOST": "127.0.0.1"}
        of_other = _environment(folder, "other", other_key, {**common, "SWITCHBOARD_PORT": str(port + 1)})
        attached = {
            **common,
            "SWITCHBOARD_PORT": str(port),
            "SWITCHBOARD_DEMO": "false",
            "SWITCHBOARD_SECRETS_KEY": new_key(),
            "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
        }
        of_desk = _environment(folder, "desk", desk_key, attached)
        servers = []
        try:
            servers.append(_serve(of_other, other))
            _attach(of_desk, other, other_key)
            servers.append(_serve(of_desk, desk))
            _say(f"The other systems: {other}/graphql#key={other_key}")
            _say(f"Attached to them:  {desk}/graphql#key={desk_key}")
            _say(f"Its console:       {desk}/#key={desk_key}")
            _say("What is done in one is seen in the other within seconds. Ctrl-C ends both.")
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
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


def _serve(environment: Mapping[str, str], address: str) -> "subprocess.Popen[bytes]":
    """A server that answers. Exits when it ends, or does not in time."""
    server = subprocess.Popen([*_APP, "serve"], env=environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):
                return server
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    server.terminate()
    sys.exit(f"{address} does not answer.")


def _attach(environment: Mapping[str, str], other: str, token: str) -> None:
    """Connect the second to the first, which stands for four systems; their admins are the same person."""
    admin: dict[str, object] = {"pollSeconds": _POLL, "users": {"admin": 1}}
    personal = json.dumps({"token": token, "users": {"admin": token}})
    systems: tuple[tuple[str, str, str, str, dict[str, object]], ...] = (
        ("Bot", "VOICEBOT", "/third-party/v1", token, admin),
        ("Office", "SUPEROFFICE", "/api", personal, admin),
        ("Agents", "VECTARA", "", token, {"pollSeconds": _POLL}),
        ("Lemon", "DIRTY_LEMON", "", token, {"customers": _customers(other, token)}),
    )
    for name, system, path, credential, settings in systems:
        command = ["connections", "add", name, "--system", system, "--settings", json.dumps(settings)]
        command += ["--address", other + path]
        done = subprocess.run(
            [*_APP, *command], env=environment, input=f"{credential}\n", text=True, capture_output=True
        )
        if done.returncode:
            sys.exit(done.stderr)


def _customers(other: str, token: str) -> list[str]:
    """The keys of the customers who have Sessions: no list of that contract names them."""
    query = "{ interactions(filter: {kinds: [SESSION]}, first: 100) { nodes { customer { customerKey } } } }"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(f"{other}/graphql", json.dumps({"query": query}).encode(), headers)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        nodes = json.load(answer)["data"]["interactions"]["nodes"]
    return sorted({each["customer"]["customerKey"] for each in nodes})


if __name__ == "__main__":
    main()
