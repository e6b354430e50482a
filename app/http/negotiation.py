"""Which media type a client takes, from its Accept header."""

from collections.abc import Iterable
from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

EXACT = 2
"""How closely a type is named when it is named in full."""


@lru_cache(maxsize=256)
def negotiate(accept: str) -> str | None:
    """The media type of the answer, or None when nothing we have is acceptable."""
    best: tuple[float, int, int] | None = None
    chosen = None
    for order, media_type in enumerate((JSON, GRAPHQL_RESPONSE)):
        found = quality(accept, media_type)
        if found is None or found[0] <= 0:
            continue
        # By quality, then as asked by name before by wildcard, then plain JSON for who did not care.
        rank = (found[0], found[1], -order if found[1] < EXACT else order)
        if best is None or rank > best:
            best, chosen = rank, media_type
    return chosen if accept.strip() else JSON


@lru_cache(maxsize=256)
def prefers_page(accept: str) -> bool:
    """Whether the client is a browser that shows pages: it names text/html and wants it at least as much as JSON."""
    page = quality(accept, "text/html")
    if page is None or page[1] < EXACT or page[0] <= 0:
        return False
    return all((found := quality(accept, name)) is None or found[0] <= page[0] for name in (JSON, GRAPHQL_RESPONSE))


def quality(accept: str, media_type: str) -> tuple[float, int] | None:
    """The quality the client gives a media type, and how closely it named it: 2 exactly, 1 `application/*`, 0 `*/*`."""
    main = media_type.partition("/")[0]
    closeness = {media_type: EXACT, f"{main}/*": 1, "*/*": 0}
    found: tuple[float, int] | None = None
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if name not in closeness:
            continue
        wanted = weight_of(parameters)
        if found is None or closeness[name] > found[1] or (closeness[name] == found[1] and wanted > found[0]):
            found = (wanted, closeness[name])
    return found


def weight_of(parameters: Iterable[str]) -> float:
    """The quality that the parameters of an item say, 0 to 1; 0 for one with a character set that we have not."""
    wanted = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                wanted = min(1.0, max(0.0, float(value)))
            except ValueError:
                wanted = 0.0
        elif key.strip() == "charset" and value.strip('" ') not in ("utf-8", "utf8"):
            wanted = 0.0
    return wanted
