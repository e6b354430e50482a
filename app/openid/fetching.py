"""Fetches documents of providers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

from app.core.clock import Clock
from app.core.issuers import Issuer
from app.openid.provider import PATIENCE, Fetch, NotFetched, Provider
from app.openid.tokens import Tokens
from app.outbound import OutboundClient, OutboundFault

_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""Private addresses are allowed, because the operator names the providers, and they often are in its own network.
`checked_url` refuses plain http."""


@asynccontextmanager
async def fetching() -> AsyncIterator[Fetch]:
    """A function that fetches documents with a client of its own, until the end of the block."""
    client = OutboundClient(_ANYWHERE)

    async def fetch(url: str, most: int) -> bytes:
        try:
            answer = await client.send("GET", url, headers={"accept": "application/json"}, seconds=PATIENCE, most=most)
        except OutboundFault as fault:
            raise NotFetched(fault.message) from None
        if answer.status != 200:
            raise NotFetched(f"It was answered with the status {answer.status}.")
        return answer.content

    try:
        yield fetch
    finally:
        await client.aclose()


@asynccontextmanager
async def tokens_of(issuers: Sequence[Issuer], clock: Clock) -> AsyncIterator[Tokens]:
    """The verifier of these issuers' tokens, until the end of the block."""
    if not issuers:
        yield Tokens((), clock)
        return
    async with fetching() as fetch:
        tokens = Tokens([Provider(issuer, fetch) for issuer in issuers], clock)
        try:
            yield tokens
        finally:
            await tokens.close()
