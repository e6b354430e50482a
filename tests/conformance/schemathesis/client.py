"""Generated requests against what the contracts say of themselves.

Not asked: that all valid data is accepted (a description does not say what makes a telephone number), and that a
second, invalid credential beside the valid one is refused."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conformance.checks import Checks

SERVER = os.environ["SERVER"]
KEY = os.environ["ADMIN_KEY"]
BASES = os.environ.get("BASES", "v1 v2 api/v1 third-party/v1").split()
EXAMPLES = os.environ.get("EXAMPLES", "20")


def tried(base: str) -> str:
    """Try one contract; how many operations it has. Shows what was found, and raises, when it is not as described."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"),
        *("run", f"{SERVER}/{base}/openapi.json", "-H", f"Authorization: Bearer {KEY}"),
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance,ignored_auth"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--no-color"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=Path(sys.prefix))
    found = re.search(r"Tested: (\d+)", done.stdout)
    if done.returncode or found is None:
        raise AssertionError(done.stdout + done.stderr)
    return found[1]


def main() -> int:
    checks = Checks("schemathesis")
    for base in BASES:
        with checks.check(f"/{base} answers generated requests as it describes") as named:
            named.append(f"{tried(base)} operations")
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
