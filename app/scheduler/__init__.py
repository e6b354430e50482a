"""Fires what is due: deadlines of interactions, and chores that recur. Each is a command, and nobody's."""

from app.scheduler.chores import CHORES
from app.scheduler.recomputing import Recomputed, recompute_all
from app.scheduler.scheduler import Scheduler, scheduling

__all__ = ["CHORES", "Recomputed", "Scheduler", "recompute_all", "scheduling"]
