"""Lists the small changes of the code that no test notices: `python -m tests.mutants core selection --mutants 20`."""

import random
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from tests.mutants.changes import changes
from tests.mutants.running import ROOT, Mutant, copied_tree, is_noticed, runs

TESTS = {
    "core": ("tests/core", "tests/test_settings.py"),
    "directory": ("tests/directory",),
    "feed": ("tests/feed",),
    "interactions": ("tests/interactions",),
    "kinds/agent_session": ("tests/kinds/agent_session/model", "tests/kinds/agent_session/service"),
    "kinds/chat_session": ("tests/kinds/chat_session/model", "tests/kinds/chat_session/service"),
    "kinds/conversation": ("tests/kinds/conversation/model", "tests/kinds/conversation/service"),
    "kinds/session": ("tests/kinds/session/test_model.py", "tests/kinds/session/test_service.py"),
    "live": ("tests/live", "tests/graph/test_live.py"),
    "selection": ("tests/selection", "tests/graph/test_filters.py", "tests/graph/test_pagination.py"),
}
"""The packages whose changes are tried, and the tests that have to notice them."""

LEFT = Path(__file__).parent / "left.txt"
_LONGEST_BASELINE = 900.0

_say = Console(highlight=False, markup=False, soft_wrap=True).print

app = App(name="scripts/mutants", help=__doc__, version_flags=[])


@app.default
def main(
    *packages: str,
    mutants: Annotated[int, Parameter(help="How many changes of each package are tried.")] = 20,
    seed: Annotated[int, Parameter(help="Chooses the changes.")] = 1,
    module: Annotated[str | None, Parameter(help="Only changes of modules whose path contains this.")] = None,
    only_list: Annotated[bool, Parameter(name="--list", help="Only list the changes.", negative="")] = False,
) -> int:
    """Change one small piece of the code at a time, in a copy of the tree, and list what no test notices.

    The exit status is 1 when a change was not noticed."""
    wanted = packages or tuple(TESTS)
    if unknown := set(wanted) - set(TESTS):
        _say(f"Not a package of this script: {', '.join(sorted(unknown))}. There are: {', '.join(TESTS)}.")
        return 2
    chosen = {package: _chosen(package, mutants, seed, module) for package in wanted}
    if only_list:
        for each in chosen.values():
            _say(*map(str, each), sep="\n")
        return 0
    survivors = 0
    with copied_tree() as tree:
        for package, tried in chosen.items():
            survivors += _tried(tree, package, tried)
    return 1 if survivors else 0


def _tried(tree: Path, package: str, mutants: list[Mutant]) -> int:
    status, took = runs(tree, TESTS[package], _LONGEST_BASELINE)
    if status != 0:
        raise SystemExit(f"The tests of {package} do not pass without a change.")
    survivors = 0
    for mutant in mutants:
        noticed = is_noticed(tree, mutant, TESTS[package], 2 * took + 60)
        survivors += not noticed
        _say("noticed " if noticed else "SURVIVED", str(mutant))
    _say(f"{package}: {len(mutants) - survivors} of {len(mutants)} noticed, tests take {took:.0f} s.")
    return survivors


def _chosen(package: str, count: int, seed: int, module: str | None) -> list[Mutant]:
    """So many of the package's changes, in a random order that the seed decides, without those that may be left."""
    left = {line.split(" # ")[0] for line in LEFT.read_text(encoding="utf-8").splitlines()}
    found = []
    for path in sorted((ROOT / "app" / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_bytes()
        lines = source.decode().splitlines()
        if module is None or module in name:
            found += [Mutant(name, each, lines[each.line - 1].strip()) for each in changes(source)]
    found = [mutant for mutant in found if str(mutant) not in left]
    return random.Random(f"{package} {seed}").sample(found, min(count, len(found)))


if __name__ == "__main__":
    sys.exit(app())
