"""The vocabulary of REST contracts, which each kind's `rest` declares."""

from app.rest.call import Call
from app.rest.contract import Contract, Operation, Refusal, Reply, guarded
from app.rest.describing import About, Answer, Description, sent
from app.rest.parameters import IDEMPOTENCY_KEY, Flag, Parameters, Text, Whole, in_path
from app.rest.reading import Pick, Selection, leaf, listed, one, picks, root
from app.rest.schemes import BASIC, BEARER, SO_TICKET, TOKEN, X_API_KEY

__all__ = (
    "BASIC",
    "BEARER",
    "IDEMPOTENCY_KEY",
    "SO_TICKET",
    "TOKEN",
    "X_API_KEY",
    "About",
    "Answer",
    "Call",
    "Contract",
    "Description",
    "Flag",
    "Operation",
    "Parameters",
    "Pick",
    "Refusal",
    "Reply",
    "Selection",
    "Text",
    "Whole",
    "guarded",
    "in_path",
    "leaf",
    "listed",
    "one",
    "picks",
    "root",
    "sent",
)
