"""Pages by number, in the format of Laravel's paginator."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.rest import Call, Whole

_ON_EACH_SIDE = 3
_PAGE = Whole("page", "Which page.", least=1, most=2**31 - 1, default=1)
_PER_PAGE = Whole("per_page", "How many in a page.", least=1, most=500, default=100)
PARAMETERS = (_PAGE, _PER_PAGE)


class Asked(NamedTuple):
    """The page that a request asks for, from 1."""

    page: int
    per_page: int

    @property
    def variables(self) -> dict[str, int]:
        return {"limit": self.per_page, "offset": (self.page - 1) * self.per_page}


def asked(call: Call) -> Asked:
    """What the query asks for. Raises InvalidInput."""
    return Asked(_PAGE.read(call.query), _PER_PAGE.read(call.query))


def page(call: Call, path: str, wanted: Asked, items: Sequence[object], total: int) -> dict[str, object]:
    """One page of the list at `path` with the addresses of the others; they keep the size that was asked for."""
    number = wanted.page
    last = max(-(-total // wanted.per_page), 1)
    first = (number - 1) * wanted.per_page + 1 if items else None
    address = f"{call.base_url}{path}"
    size = f"per_page={wanted.per_page}&" if "per_page" in call.query else ""

    def url(place: int) -> str:
        return f"{address}?{size}page={place}"

    previous = url(number - 1) if number > 1 else None
    following = url(number + 1) if number < last else None
    numbers = [
        {"url": None, "label": "...", "active": False}
        if place is None
        else {"url": url(place), "label": str(place), "active": place == number}
        for place in window(number, last)
    ]
    return {
        "data": items,
        "links": {"first": url(1), "last": url(last), "prev": previous, "next": following},
        "meta": {
            "current_page": number,
            "from": first,
            "to": None if first is None else first + len(items) - 1,
            "last_page": last,
            "per_page": wanted.per_page,
            "total": total,
            "path": address,
            "links": [
                {"url": previous, "label": "&laquo; Previous", "active": False},
                *numbers,
                {"url": following, "label": "Next &raquo;", "active": False},
            ],
        },
    }


def window(current: int, last: int) -> list[int | None]:
    """The numbers of the pages that are worth a link, None for a gap."""
    if last < _ON_EACH_SIDE * 2 + 8:
        return list(range(1, last + 1))
    near = _ON_EACH_SIDE + 4
    start: list[Any] = [1, 2, None]
    finish: list[Any] = [None, last - 1, last]
    if current <= near:
        return [*range(1, near + _ON_EACH_SIDE + 1), *finish]
    if current > last - near:
        return [*start, *range(last - (near + _ON_EACH_SIDE - 1), last + 1)]
    return [*start, *range(current - _ON_EACH_SIDE, current + _ON_EACH_SIDE + 1), *finish]
