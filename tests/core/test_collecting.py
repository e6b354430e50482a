"""By counters: how many objects the collector looks at in a row."""

import gc

from app.core.collecting import collect_little_at_once


def test_collector_looks_at_few_objects_at_once() -> None:
    usual = gc.get_threshold()
    looked: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations = range(info["generation"] + 1)
            looked.append(sum(len(gc.get_objects(generation=generation)) for generation in generations))

    gc.collect()
    gc.callbacks.append(note)
    try:
        collect_little_at_once()
        kept = [[number] for number in range(200_000)]
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*usual)
    # As many connections that stay open: none of what they hold is garbage.
    assert len(kept) == 200_000
    assert len(looked) >= 20
    assert max(looked) < 40_000
