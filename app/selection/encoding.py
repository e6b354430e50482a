"""Encodes the results of plans as JSON."""

from typing import Any

import orjson


def encoded(found: Any) -> bytes:
    """The answer as JSON. Each datetime of a plan is written in UTC, with six digits and `Z`."""
    return orjson.dumps(found, option=orjson.OPT_UTC_Z)
