"""What can be done with connections, and with what they deliver."""

from app.connections.service.applying import Outcome, apply_delivery, due_deliveries, forget_deliveries, put_off
from app.connections.service.parked import drop_parked, parked_deliveries, replay_parked
from app.connections.service.receiving import Verdict, accept
from app.connections.service.systems import (
    create_connection,
    delete_connection,
    pause_connection,
    resume_connection,
    rotate_secret,
    standings,
    try_connection,
    update_connection,
)

__all__ = (
    "Outcome",
    "Verdict",
    "accept",
    "apply_delivery",
    "create_connection",
    "delete_connection",
    "drop_parked",
    "due_deliveries",
    "forget_deliveries",
    "parked_deliveries",
    "pause_connection",
    "put_off",
    "replay_parked",
    "resume_connection",
    "rotate_secret",
    "standings",
    "try_connection",
    "update_connection",
)
