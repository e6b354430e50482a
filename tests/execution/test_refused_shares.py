"""Operations whose caller's share of reads is used up."""

from typing import Any

import pytest

from app.core.errors import RateLimited
from app.core.fairness import too_many_wait
from app.storage.database import Database
from tests.kit.library_fixtures import Run
from tests.kit.library_server import BOOK, TITLE

pytestmark = pytest.mark.anyio

BOOKS = "{ books(first: 1) { nodes { title } } }"
"""A list: one book by its key is looked up on SQLite without a share of the readers."""

UPDATE = 'mutation { a: updateBook(input: {id: "boo_1", title: "A"}) { book { title } } }'


class Refusing:
    """Lets so many calls of a method pass, and refuses the next one."""

    def __init__(self, method: Any, passing: int) -> None:
        self._method = method
        self._passing = passing

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._passing -= 1
        if self._passing == -1:
            raise too_many_wait(1_000)
        return await self._method(*args, **kwargs)


def refuse(monkeypatch: pytest.MonkeyPatch, part: Any, passing: int) -> None:
    monkeypatch.setattr(part, "run", Refusing(part.run, passing))


async def test_query_without_a_share_of_reads_is_refused_whole(
    run: Run, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await run(BOOKS) == {"data": {"books": {"nodes": [TITLE["book"]]}}}
    refuse(monkeypatch, library._plans, 0)
    with pytest.raises(RateLimited) as refused:
        await run(BOOKS)
    assert refused.value.retry_after == 1


async def test_payload_without_a_share_of_reads_says_when_to_ask_again(
    run: Run, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, library._plans, 0)
    answer = await run(UPDATE)
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert (error["path"], answer["data"]) == (["a"], None)
    # The command was done.
    assert await run(BOOK) == {"data": {"book": {"title": "A"}}}
