"""A fifth kind is one folder and one line: with both, and its migration, it keeps what every kind promises."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from tests.postgres import EXISTING

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
LAST = '    "conversation",\n'
"""The last line of the kinds in the registry."""

SUITE = ("contract", "unlisted_commands", "bad_input", "described", "declared", "rest")
LONGEST = 600


def test_a_fifth_kind_is_one_folder_and_one_line(tmp_path: Path, postgres_server: sa.URL) -> None:
    for part in ("app", "tests", "docs"):  # with what is compiled, which counts as long as a module's time is the same
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("fifth_kind", "*.pyc.*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # What Hypothesis knows of characters and of our modules, which it would read through again.
    (known := ROOT / ".hypothesis").mkdir(exist_ok=True)
    (tmp_path / known.name).symlink_to(known)
    for part in ("app", "tests"):
        shutil.copytree(HERE / part, tmp_path / part, dirs_exist_ok=True)
    registry = tmp_path / "app" / "registry.py"
    before = registry.read_text(encoding="utf-8")
    assert before.count(LAST) == 1
    registry.write_text(before.replace(LAST, f'{LAST}    "ticket",\n'), encoding="utf-8")
    migrations = tmp_path / "app" / "storage" / "migrations" / "versions"
    own = migrations / "0099_ticket.py"
    newest = max(path.name[:4] for path in migrations.glob("0*.py") if path != own)
    own.write_text(own.read_text(encoding="utf-8").replace("{newest}", newest), encoding="utf-8")

    tests = [f"tests/kinds/test_{name}.py" for name in SUITE]
    options = ("-n", "0", "-p", "no:cacheprovider", "-k", "ticket")
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests, "tests/kinds/ticket"],
        cwd=tmp_path,
        env={**outer, EXISTING: postgres_server.render_as_string(hide_password=False)},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    summary = done.stdout.strip().splitlines()[-1]
    assert "failed" not in summary
    assert int(summary.split()[0]) > 80, summary
