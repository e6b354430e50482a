"""The direction in which a list is sorted."""

from enum import StrEnum

from app.graph.enums import described


class OrderDirection(StrEnum):
    """Which end of a list comes first."""

    ASC = "ASC"
    DESC = "DESC"


described(
    OrderDirection,
    "The direction of an order.",
    {"ASC": "Ascending: of times, the oldest first.", "DESC": "Descending: of times, the newest first."},
)
