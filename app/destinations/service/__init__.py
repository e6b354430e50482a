"""The commands on destinations, deliveries, policies and alerts."""

from app.destinations.service.alerting import LEASE, follow, tell_due
from app.destinations.service.delivering import (
    Begun,
    Settled,
    begin_delivering,
    erase_excerpts,
    forget_deliveries,
    halt,
    known_deliveries,
    note_idle,
    settle,
)
from app.destinations.service.destinations import (
    Made,
    create_destination,
    creates_as,
    delete_destination,
    pause_destination,
    replay_destination,
    resume_destination,
    rotate_secret,
    runs_as,
    update_destination,
)
from app.destinations.service.finding import all_destinations
from app.destinations.service.policies import create_policy, delete_policy, update_policy
from app.destinations.service.renumbering import renumber_events
from app.destinations.service.trying import Trial, begin_trial, end_trial

__all__ = (
    "LEASE",
    "Begun",
    "Made",
    "Settled",
    "Trial",
    "all_destinations",
    "begin_delivering",
    "begin_trial",
    "create_destination",
    "create_policy",
    "creates_as",
    "delete_destination",
    "delete_policy",
    "end_trial",
    "erase_excerpts",
    "follow",
    "forget_deliveries",
    "halt",
    "known_deliveries",
    "note_idle",
    "pause_destination",
    "renumber_events",
    "replay_destination",
    "resume_destination",
    "rotate_secret",
    "runs_as",
    "settle",
    "tell_due",
    "update_destination",
    "update_policy",
)
