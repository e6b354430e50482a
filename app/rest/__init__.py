"""Serves the upstreams' own REST contracts; `Contract` is what a kind's `rest` hands over."""

from app.rest.call import Call, Parameters
from app.rest.contract import Contract, Operation, Refusal, Reply, guarded
from app.rest.reading import Pick, Selection, leaf, listed, one, picks, root
from app.rest.schemes import BASIC, BEARER, SO_TICKET, TOKEN, X_API_KEY

__all__ = (
    "BASIC",
    "BEARER",
    "SO_TICKET",
    "TOKEN",
    "X_API_KEY",
    "Call",
    "Contract",
    "Operation",
    "Parameters",
    "Pick",
    "Refusal",
    "Reply",
    "Selection",
    "guarded",
    "leaf",
    "listed",
    "one",
    "picks",
    "root",
)
