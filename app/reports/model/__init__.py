"""Figures of reports, and the periods that they are kept for."""

from app.reports.model.figures import Durations, Figures
from app.reports.model.periods import Level, Piece, cover, cover_by_hour, period_end, period_start, periods_of

__all__ = (
    "Durations",
    "Figures",
    "Level",
    "Piece",
    "cover",
    "cover_by_hour",
    "period_end",
    "period_start",
    "periods_of",
)
