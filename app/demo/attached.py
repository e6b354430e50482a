"""Two Switchboards, one as a messaging bot's inbox and a live chat, the other attached to both."""

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
    parser.add_argument("--port", type=int, default=8000, help="of the one that is attached; the bot has the next one")
    port = parser.parse_args(arguments).port
    desk, bot = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    desk_key, bot_key = new_token(), new_token()
    with tempfile.TemporaryDirectory(prefix="switchboard-") as folder:
        common = {"SWITCHBOARD_LOG_LEVEL": "warning", "SWITCHBOARD_HOST": "127.0.0.1"}
        of_bot = _environment(folder, "bot", bot_key, {**common, "SWITCHBOARD_PORT": str(port + 1)})
        attached = {
            **common,
            "SWITCHBOARD_PORT": str(port),
            "SWITCHBOARD_DEMO": "false",
            "SWITCHBOARD_SECRETS_KEY": new_key(),
            "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
        }
        of_desk = _environment(folder, "desk", desk_key, attached)
        _attach(of_desk, bot, bot_key)
        servers = [
            subprocess.Popen([*_APP, "serve"], env=each, stdout=subprocess.DEVNULL) for each in (of_bot, of_desk)
        ]
        try:
            for address, server in zip((bot, desk), servers, strict=True):
                _wait(address, server)
            _say(f"The bot and chat:  {bot}/graphql#key={bot_key}")
            _say(f"Attached to it:    {desk}/graphql#key={desk_key}")
            _say(f"Its console:       {desk}/#key={desk_key}")
            _say(f"What is done in one is seen in the other within {2 * _POLL} seconds. Ctrl-C ends both.")
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


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers. Exits when it ends, or does not in time."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    sys.exit(f"{address} does not answer.")


def _attach(environment: Mapping[str, str], bot: str, token: str) -> None:
    """Connect the second to the first, as a bot and as SuperOffice; their admins are the same person."""
    settings = json.dumps({"pollSeconds": _POLL, "users": {"admin": 1}})
    personal = json.dumps({"token": token, "users": {"admin": token}})
    for name, system, path, credential in (
        ("Bot", "VOICEBOT", "/third-party/v1", token),
        ("Office", "SUPEROFFICE", "/api", personal),
    ):
        command = ["connections", "add", name, "--system", system, "--settings", settings, "--address", f"{bot}{path}"]
        done = subprocess.run(
            [*_APP, *command], env=environment, input=f"{credential}\n", text=True, capture_output=True
        )
        if done.returncode:
            sys.exit(done.stderr)


if __name__ == "__main__":
    main()
