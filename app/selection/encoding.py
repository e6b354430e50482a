"""The JSON of what plans make."""

from typing import Any

import orjson


def encoded(found: Any) -> bytes:
    """The answer's JSON, in which each datetime of a plan is in UTC, with six digits and `Z`."""
    return orjson.dumps(found, option=orjson.OPT_UTC_Z)
