"""The commands on connections, deliveries and the outbox."""

from app.connections.service.applying import (
    Outcome,
    apply_delivery,
    due_deliveries,
    forget_deliveries,
    put_off,
)
from app.connections.service.entries import drop_entry, retry_entry, troubled_entries
from app.connections.service.failing import failing_reads, retry_reads
from app.connections.service.mirroring import MirroredRules
from app.connections.service.parked import drop_parked, parked_deliveries, replay_parked
from app.connections.service.reaching import reachable
from app.connections.service.receiving import Verdict, accept
from app.connections.service.standings import Stands, standings
from app.connections.service.systems import (
    create_connection,
    delete_connection,
    pause_connection,
    resume_connection,
    rotate_secret,
    try_connection,
    update_connection,
)

__all__ = (
    "MirroredRules",
    "Outcome",
    "Stands",
    "Verdict",
    "accept",
    "apply_delivery",
    "create_connection",
    "delete_connection",
    "drop_entry",
    "drop_parked",
    "due_deliveries",
    "failing_reads",
    "forget_deliveries",
    "parked_deliveries",
    "pause_connection",
    "put_off",
    "reachable",
    "replay_parked",
    "resume_connection",
    "retry_entry",
    "retry_reads",
    "rotate_secret",
    "standings",
    "troubled_entries",
    "try_connection",
    "update_connection",
)
