"""Fires deadlines and runs recurring chores, as commands without an actor."""

from app.scheduler.chores import CHORES
from app.scheduler.recomputing import Recomputed, recompute_all
from app.scheduler.scheduler import Scheduler, scheduling

__all__ = ["CHORES", "Recomputed", "Scheduler", "recompute_all", "scheduling"]
