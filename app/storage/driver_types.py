"""Types that connections of asyncpg know without asking PostgreSQL: arrays of ours, and times as text."""

from datetime import datetime
from typing import Any

_ELEMENTS = {
    # The array's number, its elements' type and the number of that: the same in every PostgreSQL.
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
    """Tell a connection of asyncpg the types of arrays in our statements, before the first of them.

    It would ask for each of them with a query of ten milliseconds, in the first command or read that gets the new
    connection. Whatever sets a codec afterwards has it forget them."""
    connection.get_settings().register_data_types(_TYPES)


def take_json_as_text(connection: Any) -> None:
    """Have a connection of asyncpg hand on JSON as the driver does by itself, without SQLAlchemy's function for each
    value. Before `know_arrays`."""
    connection.get_settings().remove_python_codec(114, "json", "pg_catalog")


TIMES_AS_TEXT = {"TimeZone": "UTC", "DateStyle": "ISO"}
"""The settings of a session in which `read_times_as_text` understands what PostgreSQL writes."""


def read_times_as_text(connection: Any) -> None:
    """Have a connection of asyncpg take times as text: Python reads it in a third of the time in which the driver
    computes the same datetime. Before `know_arrays`."""
    _, number = _ELEMENTS[1185]
    kind, write, read = "scalar", datetime.isoformat, datetime.fromisoformat
    connection.get_settings().add_python_codec(number, "timestamptz", "pg_catalog", [], kind, write, read, "text")
