"""The list of recurring chores."""

from datetime import timedelta

from app.connections.service import forget_deliveries as forget_taken_in
from app.destinations.service import forget_deliveries as forget_sent
from app.directory.service import forget_sessions, forget_tickets
from app.interactions.service.watching import forget_watches
from app.reports.service import count_marks, forget_marks
from app.storage.chores import Chore
from app.storage.event_log import forget_events, keep_partitions
from app.storage.idempotency import forget_answers
from app.storage.leases import forget_leases
from app.storage.work import Work


def _forget_answers(work: Work) -> bool:
    forget_answers(work)
    return False


def _forget_watches(work: Work) -> bool:
    forget_watches(work)
    return False


def _forget_leases(work: Work) -> bool:
    forget_leases(work)
    return False


CHORES = (
    Chore("answers", timedelta(minutes=1), _forget_answers),
    Chore("deliveries", timedelta(minutes=1), forget_taken_in),
    Chore("deliveries sent", timedelta(hours=1), forget_sent),
    Chore("events", timedelta(minutes=1), forget_events),
    Chore("leases", timedelta(hours=1), _forget_leases),
    Chore("marks", timedelta(seconds=15), count_marks),
    Chore("old marks", timedelta(hours=1), forget_marks),
    Chore("partitions", timedelta(minutes=1), keep_partitions),
    Chore("sessions", timedelta(minutes=1), forget_sessions),
    Chore("tickets", timedelta(minutes=1), forget_tickets),
    Chore("watches", timedelta(seconds=15), _forget_watches),
)
"""Chores that count marks for reports, that begin partitions of the event log, and that delete what is out of date:
answers to idempotency keys, keys of received deliveries, sent deliveries, the oldest part of the event log, expired
leases, counted marks, expired tickets, and the viewers and open sessions of a process that crashed."""
