"""Attacks by what is written."""

import asyncio
from itertools import count

import asyncpg

from app.storage.engines import asyncpg_arguments, parse_database_url
from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import command, post

_NOTE = command("addNote", "AddNoteInput")
_RAISE = command("raiseAttention", "RaiseAttentionInput")
_DELETE = command("deleteCustomer", "DeleteCustomerInput")
_TYPING = command("sendTyping", "SendTypingInput")
_KEY = command("createApiKey", "CreateApiKeyInput")
_SEND = command("receiveMessage", "ReceiveMessageInput")
_LOCKED_SECONDS = 6.0
_RELEASED_SECONDS = 1.0


async def locked_row(to: Hostile) -> None:
    """A row that somebody else holds for 6 seconds, and 30 commands on it at once."""
    ref = to.target.refs[0]
    url = parse_database_url(to.target.database_url)

    async def hold() -> None:
        connection = await asyncpg.connect(**asyncpg_arguments(url))
        try:
            while True:
                async with connection.transaction():
                    number = int(ref.partition("_")[2])
                    await connection.execute("SELECT id FROM interaction WHERE id = $1 FOR UPDATE", number)
                    await asyncio.sleep(_LOCKED_SECONDS)
                await asyncio.sleep(_RELEASED_SECONDS)
        finally:
            await connection.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await asyncio.sleep(0.2)
        group.create_task(to.flood(lambda number: _note(to, ref, number), lines=30))


async def hundred_on_one(to: Hostile) -> None:
    """A hundred connections that all write to one interaction."""
    ref = to.target.refs[0]
    await to.flood(lambda number: _note(to, ref, number), lines=100)


async def customer_deletion(to: Hostile) -> None:
    """The deletion of a customer with very many messages."""
    request = post(_DELETE, {"input": {"id": to.target.crowded}}, key=to.target.able)
    await to.flood(lambda _: request, lines=1, pause=0.5)


async def idempotency_keys(to: Hostile) -> None:
    """Messages with a new idempotency key each, by the thousand."""
    numbers = count()

    def make(number: int) -> bytes:
        given = {
            "target": {"interactionId": to.target.refs[number % len(to.target.refs)]},
            "contents": [{"text": {"content": "x"}}],
            "idempotencyKey": f"{next(numbers)}-{'k' * 200}",
        }
        return post(_SEND, {"input": given}, key=to.target.able)

    await to.flood(make, lines=16)


async def same_mutation_id(to: Hostile) -> None:
    """Notes that all bear the same clientMutationId of 200 characters."""

    def make(number: int) -> bytes:
        given = {"id": to.target.refs[number % len(to.target.refs)], "text": "x", "clientMutationId": "m" * 200}
        return post(_NOTE, {"input": given}, key=to.target.able)

    await to.flood(make, lines=16)


async def attention_flapping(to: Hostile) -> None:
    """Attention that is raised and lowered without end, on many interactions."""
    levels = ("URGENT", "LOW")

    def make(number: int) -> bytes:
        refs = to.target.refs
        given = {"id": refs[number % len(refs)], "level": levels[number // len(refs) % 2]}
        return post(_RAISE, {"input": given}, key=to.target.able)

    await to.flood(make, lines=16)


async def typing_storm(to: Hostile) -> None:
    """Signs of typing in all interactions, from 16 connections."""

    def make(number: int) -> bytes:
        return post(_TYPING, {"input": {"id": to.target.refs[number % len(to.target.refs)]}}, key=to.target.able)

    await to.flood(make, lines=16)


async def many_keys(to: Hostile) -> None:
    """One user who makes API keys without end."""

    def make(number: int) -> bytes:
        return post(_KEY, {"input": {"name": f"key {number}"}}, key=to.target.able)

    await to.flood(make, lines=8)


def _note(to: Hostile, ref: str, number: int) -> bytes:
    return post(_NOTE, {"input": {"id": ref, "text": f"note {number}"}}, key=to.target.able)
