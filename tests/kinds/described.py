"""Holds what contracts answer, in whichever test, to what their operations declare."""

from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from app.rest import Call, Contract, Operation, Refusal, Reply
from app.rest.contract import Handler

_handled: ContextVar[Operation | None] = ContextVar("handled", default=None)

SELDOM = frozenset({405, 410, 500})
"""Statuses that no operation lists: every one may answer them, for reasons that are none of its own."""


class Described:
    """Wraps contracts; `differences` are the answers that were not as declared."""

    def __init__(self) -> None:
        self.differences = list[str]()

    def contract(self, contract: Contract) -> Contract:
        """The contract, looked at."""
        description = contract.description

        def refused(refusal: Refusal) -> Reply:
            reply = contract.refused(refusal)
            operation = _handled.get()
            _handled.set(None)
            if operation is not None and operation.about is not None and refusal.status not in SELDOM:
                own = {answer.status: answer.shape for answer in operation.about.answers}
                known = {*own, *operation.about.refuses, *description.always, *description.with_body}
                if refusal.status not in known:
                    self.differences.append(f"{operation.method} {operation.path}: {refusal}")
            # Where no operation is found, none describes the answer.
            if operation is not None or refusal.status not in (404, 405):
                shape = description.errors.get(refusal.status, description.error)
                self.compare(f"refused with {refusal.status}", shape, reply.body)
            return reply

        operations = tuple(replace(each, handler=self.handler(each)) for each in contract.operations)
        return replace(contract, operations=operations, refused=refused)

    def handler(self, operation: Operation) -> Handler:
        """The operation's handler, looked at."""

        async def handle(call: Call) -> Reply:
            _handled.set(operation)
            reply = await operation.handler(call)
            _handled.set(None)
            name = f"{operation.method} {operation.path}: {reply.status}"
            shapes = {} if operation.about is None else {each.status: each.shape for each in operation.about.answers}
            if reply.status not in shapes:
                self.differences.append(f"{name} is not declared")
            else:
                self.compare(name, shapes[reply.status], reply.body)
            return reply

        return handle

    def compare(self, name: str, shape: Any, body: object) -> None:
        if body is None or shape is None:
            if body is not None or shape is not None:
                self.differences.append(f"{name}: {body!r} is no {shape}")
            return
        try:
            written = body if isinstance(body, bytes) else orjson.dumps(body)
            _adapter(shape).validate_json(written, strict=True, extra="forbid")
        except ValidationError as error:
            self.differences.append(f"{name}: {error}")


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
