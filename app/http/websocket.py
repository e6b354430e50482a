"""An admitted GraphQL WebSocket with its operations."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import orjson
import structlog
from starlette.types import Message, Receive, Send

from app.core.actor import Actor
from app.core.errors import CursorExpired, DomainError, RateLimited, TooComplex, release
from app.core.trail import follow
from app.execution import errors
from app.execution.outcome import GraphQLRequest, Outcome, Phase, Refused
from app.http.frames import (
    DUPLICATE,
    INVALID,
    TOO_MANY_INITS,
    Closed,
    close,
    error_of,
    framed,
    head_of,
    id_of,
    read_message,
    refusal_of,
    refused_unread,
    text_of,
)
from app.http.graphql_http import request_of
from app.http.services import Services
from app.http.watching import Noting
from app.live.connections import (
    ABORT,
    CLOSE_SECONDS,
    FORBIDDEN,
    TRY_LATER,
    WRITE,
    Connection,
    Ending,
    Known,
)
from app.live.items import Subscriber
from app.rest.errors import BadRequest

log = structlog.get_logger(__name__)

_SCOPE = {"method": "GET", "path": "/graphql"}
"""What is told of the request below an operation: its handshake's, whatever was in front of it."""


class Socket(Connection):
    """An admitted client with its operations."""

    def __init__(
        self,
        services: Services,
        known: Known,
        actor: Actor,
        extensions: Mapping[str, Any],
        receive: Receive,
        send: Send,
        request_id: str,
        client: str | None,
    ) -> None:
        super().__init__(services.connections, known, actor, extensions.get(ABORT))
        self._services = services
        self._write: Callable[[list[str]], bool] = extensions.get(WRITE, lambda _: False)
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._client = client
        self._noting = Noting.of(services.settings)
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._listening: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def serve(self) -> None:
        """Answer messages until the socket closes."""
        try:
            while True:
                message = await self._next()
                if message["type"] == "websocket.disconnect":
                    return
                if self.ending is None and not self._is_stopping:
                    await self._services.in_flight.pace(self.actor.caller)
                    await self._take(message)
        except Closed as closed:
            self.ending = closed.ending
            await self.finish()
            await self._close(closed.ending)

    async def stop(self) -> None:
        self._is_stopping = True
        for task in self._listening:
            task.cancel()
        if answering := set(self._operations.values()) - self._listening:
            await asyncio.wait(answering, timeout=self._services.connections.limits.answer_seconds)
        await super().stop()

    def close(self, ending: Ending) -> None:
        for task in self._operations.values():
            task.cancel()
        self.start(self._close(ending))

    async def _close(self, ending: Ending) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await close(self._send, ending)
        except TimeoutError:
            self.abort()
        except OSError:
            pass  # it is closed already

    async def _next(self) -> Message:
        """The next message; a client that is silent for long is asked for a sign of life, which also shows it ours."""
        while True:
            try:
                async with asyncio.timeout(self._services.connections.limits.ping_seconds):
                    return await self._receive()
            except TimeoutError:
                self.start(self._tell(text_of("ping")))

    async def _read(self, message: Message) -> dict[str, Any]:
        """What the message holds, parsed beside the loop when it is large. Raises Closed."""
        limits = self._services.connections.limits
        if len(message.get("text") or "") <= limits.large_bytes:
            return read_message(message, limits.message_bytes)
        read = partial(read_message, message, limits.message_bytes)
        try:
            return await self._services.operations.compiling.offload(self.actor.caller, read)
        except RateLimited as error:
            try:
                return refused_unread(message["text"], error)
            except Closed:
                raise Closed(TRY_LATER, error.message) from None

    async def _take(self, message: Message) -> None:
        given = await self._read(message)
        match given["type"]:
            case "ping":
                await self._tell(text_of("pong", payload=given.get("payload")))
            case "pong":
                pass
            case "subscribe":
                await self._begin(given, message)
            case "complete":
                task = self._operations.pop(id_of(given), None)
                if task is not None:
                    task.cancel()
            case "connection_init":
                raise Closed(TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                raise Closed(INVALID, "Invalid message")

    async def _begin(self, given: Mapping[str, Any], message: Message) -> None:
        operation = id_of(given)
        if operation in self._operations:
            raise Closed(DUPLICATE, f"Subscriber for {operation} already exists")
        payload = given.get("payload")
        try:
            if isinstance(payload, DomainError | BadRequest):
                raise payload
            if not isinstance(payload, dict):
                raise BadRequest(400, "The payload has to be a JSON object.")
            request = replace(request_of(payload, mutations=True), body=message["text"].encode(), within="payload")
        except (DomainError, BadRequest) as bad:
            # Of this operation alone: a close would end its siblings, for good or in a loop.
            await self._tell(refusal_of(operation, bad))
            return
        limit = self._services.connections.limits.operations
        if len(self._operations) >= limit:
            text = f"This socket has {limit} operations running; it cannot have more."
            await self._tell(error_of(operation, [errors.entry(text, TooComplex.code)]))
            return
        self._operations[operation] = self._started(self._run(operation, request))

    async def _run(self, operation: str, request: GraphQLRequest) -> None:
        task = asyncio.current_task()
        assert task is not None
        trail = self._noting.trail(self._request_id)
        trail.user_id, trail.client = self.actor.user_id, self._client
        follow(trail)
        from_ = perf_counter()
        try:
            answer = await self._asked(request)
            del request  # it may be large, and a subscription lasts
            if answer is not None:
                await self._answer(operation, answer, task)
        except (Refused, DomainError) as error:
            await self._tell(refusal_of(operation, error))
        except OSError:
            pass  # the client is gone
        except Exception as error:
            log.error("operation failed", request_id=self._request_id, exc_info=error)
            release(error)
            await self._tell(error_of(operation, [errors.internal()]))
        finally:
            # By now the client may have used the id again.
            if self._operations.get(operation) is task:
                del self._operations[operation]
            self._listening.discard(task)
            trail.transport, trail.seconds = "websocket", perf_counter() - from_
            for watcher in self._services.watchers:
                watcher(trail, _SCOPE)

    async def _asked(self, request: GraphQLRequest) -> Subscriber | Outcome | None:
        """What answers the request; None when its sender may ask for nothing any more."""
        services = self._services
        actor = await self.known()
        if actor is None or actor != self.actor:
            self.end(FORBIDDEN)
            return None
        await services.limiter.take(actor)
        context = services.context(actor, self._request_id)
        async with services.in_flight.of(actor.caller):
            return await services.ask(request, context)

    async def _answer(self, operation: str, answer: Subscriber | Outcome, task: asyncio.Task[None]) -> None:
        if not isinstance(answer, Outcome):
            try:
                if self._is_stopping:
                    return
                self._listening.add(task)
                await self._deliver(operation, answer)
            finally:
                answer.close()
        elif answer.phase is not Phase.EXECUTION:
            await self._tell(error_of(operation, orjson.loads(answer.body)["errors"]))
            return
        else:
            await self._tell(framed(head_of(operation) + answer.body.decode() + "}"))
        self._operations.pop(operation, None)
        await self._tell(text_of("complete", id=operation))

    async def _deliver(self, operation: str, subscriber: Subscriber) -> None:
        head = head_of(operation)
        while True:
            try:
                item = await subscriber.next()
            except CursorExpired as error:
                answer = {"data": None, "errors": [errors.entry(error.message, error.code)]}
                await self._tell(framed(head + orjson.dumps(answer).decode() + "}"))
                return
            await self._services.pace_item(self.actor)
            if self.doubtful or self.actor.expires_at is not None:
                await self.cleared()
            texts = [f"{head}{each.text}}}" for each in (item, *subscriber.ready())]
            if self.ending is not None or not self._write(texts):
                for text in texts:
                    await self._tell(framed(text))

    async def _tell(self, message: Message) -> None:
        if self.ending is None:
            await self.written(self._send(message))  # type: ignore[arg-type]
