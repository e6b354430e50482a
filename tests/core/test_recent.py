"""The cache: its bound, and that what is used again outlasts what is used once."""

from app.core.recent import Recent


def test_cache_evicts_what_was_put_first_of_what_nobody_asked_for() -> None:
    recent: Recent[str] = Recent(10)
    for key in "abc":
        recent.put(key, key.upper(), 4)
    assert (recent.weight, len(recent)) == (8, 2)
    assert [recent.get(key) for key in "abc"] == [None, "B", "C"]


def test_cache_keeps_used_entries_beside_a_flood_of_others() -> None:
    recent: Recent[int] = Recent(100)
    for key in range(5):
        recent.put(("used", key), key, 10)
        assert recent.get(("used", key)) == key
    for key in range(10_000):
        recent.put(("once", key), key, 10)
        assert recent.weight <= 100
    assert [recent.get(("used", key)) for key in range(5)] == list(range(5))


def test_cache_protects_the_entries_that_were_used_last() -> None:
    recent: Recent[int] = Recent(10)
    for key in range(10):
        recent.put(key, key)
        assert recent.get(key) == key
    # Eight are protected; the first two of them are on probation again, and go before the newcomers do.
    for key in (10, 11):
        recent.put(key, key)
    assert [recent.get(key) for key in (0, 1)] == [None, None]
    assert [recent.get(key) for key in range(2, 12)] == list(range(2, 12))


def test_cache_replaces_an_entry_with_its_weight() -> None:
    recent: Recent[str] = Recent(10)
    recent.put("a", "A", 4)
    recent.put("b", "B", 4)
    assert recent.get("b") == "B"
    recent.put("a", "A2", 1)
    recent.put("b", "B2", 2)
    assert (recent.weight, len(recent), recent.get("a"), recent.get("b")) == (3, 2, "A2", "B2")


def test_cache_keeps_the_last_entry_even_when_it_is_heavier_than_the_limit() -> None:
    recent: Recent[str] = Recent(10)
    recent.put("a", "A", 4)
    assert recent.get("a") == "A"
    recent.put("d", "D", 100)
    assert (recent.weight, len(recent), recent.get("d")) == (100, 1, "D")
    recent.put("e", "E", 1)
    assert (recent.weight, len(recent), recent.get("e")) == (1, 1, "E")
