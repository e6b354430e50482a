"""Attacks below GraphQL: connections, heads and bodies."""

import asyncio
from random import Random

from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import BROKEN, post, request

_VIEWER = "{ viewer { user { id } } }"


async def random_keys(to: Hostile) -> None:
    """A new key every time, none of which exists."""
    random = Random(4)

    def make(_: int) -> bytes:
        return post(_VIEWER, key=f"{random.getrandbits(64):x}_{random.getrandbits(256):x}")

    await to.flood(make, lines=16)


async def viewers(to: Hostile) -> None:
    """The cheapest query, as fast as 32 connections of one key can."""
    same = post(_VIEWER, key=to.target.nobody)
    await to.flood(lambda _: same, lines=32)


async def slow_bodies(to: Hostile) -> None:
    """Three hundred bodies of which a byte comes now and then."""
    whole = post(_VIEWER, key=to.target.nobody)
    head, body = whole[:-40], whole[-40:]

    async def drip() -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                try:
                    writer.write(head)
                    for place in range(len(body) - 1):
                        await asyncio.sleep(0.5)
                        writer.write(body[place : place + 1])
                        await writer.drain()
                finally:
                    writer.close()
                to.tally.answers["dripped"] += 1
            except BROKEN as broken:
                to.broke(broken)
                await asyncio.sleep(0.5)

    await to.at_once(drip, 300)


async def half_open(to: Hostile) -> None:
    """A thousand connections that say nothing, opened anew when they are closed."""

    async def hold() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                to.tally.answers["opened"] += 1
                try:
                    await reader.read(1)
                finally:
                    writer.close()
            except BROKEN as broken:
                to.broke(broken)
            await asyncio.sleep(0.1)

    await to.at_once(hold, 1_000)


async def connection_churn(to: Hostile) -> None:
    """A new connection for every request, reset as soon as it is sent."""
    same = post(_VIEWER, key=to.target.nobody)

    async def churn() -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                writer.write(same)
                await asyncio.sleep(0)
                writer.transport.abort()
                to.tally.answers["reset"] += 1
            except BROKEN as broken:
                to.broke(broken)

    await to.at_once(churn, 8)


async def large_heads(to: Hostile) -> None:
    """Heads of 60 KB in 500 headers."""
    more = {f"x-{number}": "v" * 110 for number in range(500)}
    same = request("POST", "/graphql", b'{"query":"{ __typename }"}', key=to.target.nobody, more=more)
    await to.flood(lambda _: same, lines=8)


async def pipelines(to: Hostile) -> None:
    """A hundred requests in one write, on four connections."""
    many = post(_VIEWER, key=to.target.nobody) * 100

    async def send() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", to.target.port)
                try:
                    writer.write(many)
                    for _ in range(100):
                        head = await reader.readuntil(b"\r\n\r\n")
                        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
                        to.tally.answers[head[9:12].decode()] += 1
                finally:
                    writer.close()
            except BROKEN as broken:
                to.broke(broken)

    await to.at_once(send, 4)


async def tiny_chunks(to: Hostile) -> None:
    """Bodies of 50,000 chunks of one byte each."""
    body = b'{"query":"{ __typename }","x":"' + b"x" * 50_000 + b'"}'
    head = request("POST", "/graphql", key=to.target.nobody, more={"content-type": "application/json"})
    head = head.replace(b"content-length: 0\r\n", b"transfer-encoding: chunked\r\n")
    same = head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    await to.flood(lambda _: same, lines=4)


async def long_addresses(to: Hostile) -> None:
    """Queries of 50 KB in the address, each a new one."""

    def make(number: int) -> bytes:
        fields = "+".join(f"a{number}x{place}:__typename" for place in range(180))
        return request("GET", f"/graphql?query={{{fields}}}&x={'y' * 40_000}", key=to.target.nobody)

    await to.flood(make, lines=4)


async def large_forms(to: Hostile) -> None:
    """Forms of 1 MB in escapes to where access tokens are made, which needs no key."""
    body = b"client_id=" + b"%41" * 340_000
    same = request("POST", "/oauth2/token", body, more={"content-type": "application/x-www-form-urlencoded"})
    await to.flood(lambda _: same, lines=8)
