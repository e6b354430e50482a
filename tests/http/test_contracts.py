"""How the documents of the contracts are made."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, current_thread
from typing import Any

import orjson
import pytest

from app.core.short_turns import SHORT_TURN
from app.http.contracts import written_alone
from tests.rest.shelf import CONTRACT
from tests.serving import PATIENCE


def test_documents_are_made_one_at_a_time_in_short_turns() -> None:
    usual = sys.getswitchinterval()
    begun: list[tuple[str, float]] = []
    first, go_on = Event(), Event()

    class Watched(tuple[Any, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Any]:
            begun.append((current_thread().name, sys.getswitchinterval()))
            first.set()
            assert go_on.wait(PATIENCE)
            return super().__iter__()

    watched = replace(CONTRACT, operations=Watched(CONTRACT.operations))
    with ThreadPoolExecutor(2) as threads:
        made = [threads.submit(written_alone, watched) for _ in range(2)]
        assert first.wait(PATIENCE)
        go_on.set()
        documents = [orjson.loads(each.result(PATIENCE)) for each in made]
    assert documents[0] == documents[1] == orjson.loads(written_alone(CONTRACT))
    names = [name for name, _ in begun]
    assert len(set(names)) == 2
    assert names == sorted(names, key=names.index)  # no turn of one between two of the other
    assert [interval for _, interval in begun] == pytest.approx([SHORT_TURN] * len(begun))
    assert sys.getswitchinterval() == usual
