"""The marks that the lives of generated interactions would have left."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from app.interactions.marks import Mark, Outcome

_INTERACTIONS = "SELECT id, kind, state, assignee_id, created_at FROM interaction ORDER BY id"
# A load gives an interaction's messages numbers that follow each other, in the order of the interactions.
_MESSAGES = "SELECT interaction_id, bearing, author, user_id, status, created_at FROM message ORDER BY id"


def marks_of(path: Path, teams: Sequence[int]) -> Iterator[Mark]:
    """What commands would have marked, had they made what the database at the path holds.

    Its interactions belong to the teams in turn; 0 is no team."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as source:
        messages = groupby(source.execute(_MESSAGES), itemgetter(0))
        for number, kind, state, assignee, created in source.execute(_INTERACTIONS):
            of, said = next(messages)
            assert of == number
            common = {"interaction_id": number, "kind": kind, "team_id": teams[number % len(teams)], "account": None}
            yield from _life(common, list(said), _time(created), assignee, closed=state == "CLOSED")


def _life(
    common: dict[str, Any], said: Sequence[Any], opened: datetime, assignee: int | None, *, closed: bool
) -> Iterator[Mark]:
    since: datetime | None = None
    is_first, at = True, opened
    for _, bearing, author, user, status, moment in said:
        at = _time(moment)
        if bearing == "ASKS":
            since = since or at
        elif bearing == "ANSWERS" and status != "ERROR" and since is not None:
            by_user = author == "USER"
            outcome = Outcome.ANSWERED if by_user else Outcome.ANSWERED_BY_BOT
            yield Mark(
                **common, user_id=user, at=at, waited_since=since, outcome=outcome, is_first=by_user and is_first
            )
            is_first, since = is_first and not by_user, None
    if closed:
        ended = None if since is None else Outcome.CLOSED
        yield Mark(**common, user_id=assignee, at=at, waited_since=since, outcome=ended, opened_at=opened)


def _time(stored: str) -> datetime:
    return datetime.fromisoformat(stored)
