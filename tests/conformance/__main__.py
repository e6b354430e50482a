"""Runs the vendors' own clients against a server that is started for them; `scripts/conformance` calls it.

Each folder beside this file is one client: its `run` gets the server's address and keys from the environment, makes an
environment of its own in .conformance, and fails when the client is not satisfied."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import Request, urlopen

import orjson

HERE = Path(__file__).parent
ADMIN_KEY = "a key for conformance runs"
PATIENCE = 60


def main(wanted: list[str]) -> int:
    """Run the named clients, or all; how many were not satisfied."""
    clients = [path for path in sorted(HERE.glob("*/run")) if not wanted or path.parent.name in wanted]
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = {
            "SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder}/switchboard.db",
            "SWITCHBOARD_BOOTSTRAP_KEY": ADMIN_KEY,
            "SWITCHBOARD_PORT": str(port),
            "SWITCHBOARD_DEMO": "false",
            "SWITCHBOARD_LOG_LEVEL": "warning",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        server = subprocess.Popen([sys.executable, "-m", "app", "serve"], env=kept | settings)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(server, url)
            given = {"SERVER": url, "ADMIN_KEY": ADMIN_KEY, "READER_KEY": _reader_key(url)}
            return sum(subprocess.run([path], env=kept | given).returncode != 0 for path in clients)
        finally:
            server.terminate()
            server.wait(PATIENCE)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(f"{url}/readyz", timeout=5).close()
            return
        except (URLError, ConnectionError):
            if server.poll() is not None or time.monotonic() > until:
                raise SystemExit("The server did not start.") from None
            time.sleep(0.1)


def _reader_key(url: str) -> str:
    """A key that may read sessions of AI agents, and nothing else."""
    document = (
        'mutation { createApiKey(input: {name: "reader", permissions: ["agent_session:read"]}) '
        "{ secret errors { message } } }"
    )
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    request = Request(f"{url}/graphql", orjson.dumps({"query": document}), headers)
    with urlopen(request, timeout=5) as response:
        payload = orjson.loads(response.read())["data"]["createApiKey"]
    secret: str = payload["secret"]
    return secret


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
