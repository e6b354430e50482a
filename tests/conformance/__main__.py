"""Runs the public clients and suites, each against a server that is started for it; `scripts/conformance` calls it.

Each folder beside this file is one client: its `run` gets the server's address and keys from the environment, makes an
environment of its own in .conformance, and fails when the client is not satisfied. What it writes is counted, see
`report`; one that ends with NOT_RUN could not be tried, which is no failure. Where a client needs other settings of the
server, its folder has them in `settings`, one `NAME=value` a line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import orjson

from tests.conformance.report import Result, not_run, page, result_of
from tests.saying import wait_for

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "conformance.md"
REPORT = "--report"
NOT_RUN = 77
ADMIN_KEY = "a key for conformance runs"
PATIENCE = 240


def main(wanted: list[str]) -> int:
    """Run the named clients, or all, and write the page when REPORT is among the names; 1 if one is not satisfied."""
    names = [name for name in wanted if name != REPORT]
    known = {path.parent.name: path for path in sorted(HERE.glob("*/run"))}
    if unknown := set(names) - set(known):
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; there is {', '.join(known)}.")
    if names and REPORT in wanted:
        raise SystemExit("The page is of all clients.")
    results = [_result(known[name]) for name in names or known]
    if REPORT in wanted:
        PAGE.write_text(page(results), encoding="utf-8")
    failed = [each.folder for each in results if each.passed is not None and each.passed < each.total]
    missing = [each.folder for each in results if each.passed is None]
    _say(f"satisfied: {len(results) - len(failed) - len(missing)}")
    _say(f"failed: {', '.join(failed) or 'none'}")
    _say(f"not run: {', '.join(missing) or 'none'}")
    return 1 if failed else 0


def _result(run: Path) -> Result:
    """Run a client, and show what it writes meanwhile."""
    _say(f"{run.parent.name}:")
    output: list[str] = []
    with (
        _serving(_own_settings(run.parent)) as given,
        subprocess.Popen([run], env=given, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            _say(line.rstrip("\n"))
            output.append(line.rstrip("\n"))
    return not_run(run) if process.returncode == NOT_RUN else result_of(run, output, process.returncode)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _own_settings(folder: Path) -> dict[str, str]:
    path = folder / "settings"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def _serving(own: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A server with an empty database, so that no client finds what another left; the environment of a client of it.

    A client has the server restarted by sending SIGUSR1 to RUNNER, which is this process, and with an empty database by
    SIGUSR2."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        settings = {
            "SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder}/switchboard.db",
            "SWITCHBOARD_BOOTSTRAP_KEY": ADMIN_KEY,
            "SWITCHBOARD_PORT": "0",
            "SWITCHBOARD_DEMO": "false",
            "SWITCHBOARD_LOG_LEVEL": "warning",
            **own,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        server = _started(kept | settings, said)

        def restart(*_: object) -> None:
            nonlocal server
            _stop(server)
            server = _started(kept | settings, said)

        def replace(*_: object) -> None:
            nonlocal server
            _stop(server)
            for path in Path(folder).glob("switchboard.db*"):
                path.unlink()
            server = _started(kept | settings, said)

        signal.signal(signal.SIGUSR1, restart)
        signal.signal(signal.SIGUSR2, replace)
        try:
            # It says where it is when it answers, and comes back there.
            found = wait_for(r"(http://127\.0\.0\.1:(\d+))/", said, server, PATIENCE)
            url, settings["SWITCHBOARD_PORT"] = found[1], found[2]
            given = {"SERVER": url, "ADMIN_KEY": ADMIN_KEY, "READER_KEY": _reader_key(url)}
            # Settings of the caller's server are nothing to clients; what the tests are told is.
            told = {name: value for name, value in os.environ.items() if name.startswith("SWITCHBOARD_TESTS_")}
            yield kept | told | given | {"ROOT": str(ROOT), "RUNNER": str(os.getpid())}
        finally:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)
            _stop(server)


def _started(environment: dict[str, str], said: Path) -> subprocess.Popen[bytes]:
    with said.open("wb") as output:
        return subprocess.Popen([sys.executable, "-m", "app", "serve"], env=environment, stdout=output)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(PATIENCE)


def _reader_key(url: str) -> str:
    """A key that may read sessions of AI agents, and nothing else."""
    document = (
        'mutation { createApiKey(input: {name: "reader", permissions: [AGENT_SESSION_READ]}) '
        "{ secret errors { message } } }"
    )
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    request = Request(f"{url}/graphql", orjson.dumps({"query": document}), headers)
    with urlopen(request, timeout=PATIENCE) as response:
        payload = orjson.loads(response.read())["data"]["createApiKey"]
    secret: str = payload["secret"]
    return secret


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
