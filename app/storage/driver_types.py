"""Types that asyncpg's connections know without a query: arrays, JSON, times."""

from datetime import datetime
from typing import Any

_ELEMENTS = {
    # The number of the array type, its element type, and that type's number. They are the same in every PostgreSQL.
    1000: ("bool", 16),
    1007: ("int4", 23),
    1016: ("int8", 20),
    1022: ("float8", 701),
    1185: ("timestamptz", 1184),
}
_UNUSED = ("basetype", "basetype_name", "range_subtype", "range_subtype_name", "attrtypoids", "attrnames")
_TYPES = [
    {
        **dict.fromkeys(_UNUSED),
        "oid": oid,
        "ns": "pg_catalog",
        "name": f"_{element}",
        "kind": b"b",
        "elemtype": number,
        "elemtype_name": element,
        "elemdelim": b",",
        "depth": 0,
    }
    for oid, (element, number) in _ELEMENTS.items()
]


def know_arrays(connection: Any) -> None:
    """Tell an asyncpg connection the array types of our statements, before the first statement.

    Otherwise asyncpg looks up each type with a query of ten milliseconds, in the first command or read on a new
    connection. Setting a codec afterwards makes asyncpg forget these types."""
    connection.get_settings().register_data_types(_TYPES)


def take_json_as_text(connection: Any) -> None:
    """Make an asyncpg connection return JSON as the driver does by default, without a call of SQLAlchemy's function for
    each value. Call it before `know_arrays`."""
    connection.get_settings().remove_python_codec(114, "json", "pg_catalog")


TIMES_AS_TEXT = {"TimeZone": "UTC", "DateStyle": "ISO"}
"""Settings of a session, so that PostgreSQL writes times as `read_times_as_text` expects."""


def read_times_as_text(connection: Any) -> None:
    """Make an asyncpg connection receive times as text. Python parses the text in a third of the time that the driver
    needs to compute the same datetime. Call it before `know_arrays`."""
    _, number = _ELEMENTS[1185]
    kind, write, read = "scalar", datetime.isoformat, datetime.fromisoformat
    connection.get_settings().add_python_codec(number, "timestamptz", "pg_catalog", [], kind, write, read, "text")
