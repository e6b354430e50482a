"""Compiles all modules once, on every core, before each process of a parallel run would."""

import compileall
import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

_ROOT = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Compile what has changed since it was compiled last, and take the asserts of tests apart."""
    if sys.dont_write_bytecode or "PYTEST_XDIST_WORKER" in os.environ:
        return
    paths = [path for folder in ("app", "tests") for path in sorted((_ROOT / folder).rglob("*.py"))]
    count = os.cpu_count() or 1
    # Forked, so that they have what pytest knows of its configuration.
    forking = multiprocessing.get_context("fork")
    others = [forking.Process(target=_compile, args=(early_config, paths[place::count])) for place in range(1, count)]
    for process in others:
        process.start()
    _compile(early_config, paths[::count])
    for process in others:
        process.join()


def _compile(config: pytest.Config, paths: Sequence[Path]) -> None:
    state = config.stash[rewrite.assertstate_key]
    for path in paths:
        if path.name != "conftest.py" and not path.name.startswith("test_"):
            compileall.compile_file(path, quiet=2)
            continue
        compiled = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
        if rewrite._read_pyc(path, compiled) is None and rewrite.try_makedirs(compiled.parent):
            digest, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(state, code, digest, compiled)
