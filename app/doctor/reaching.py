"""Checks what a deployment reaches by network, and its own address."""

import asyncio
from collections.abc import AsyncIterator

from app.core.issuers import Issuer
from app.doctor.findings import Finding, fault, ok, warning
from app.openid import Fetch, NotFetched, Unusable, fetching, keys_of
from app.settings import Settings

PATIENCE = 3.0
"""Seconds that each server has to answer."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


async def reaching(settings: Settings) -> AsyncIterator[Finding]:
    """The findings about identity providers, and about the address to listen at."""
    if settings.issuers:
        async with fetching() as fetch:
            for issuer in settings.issuers:
                yield await _provider(issuer, fetch)
    if settings.port:
        yield await _own_address(settings.host, settings.port)


async def _provider(issuer: Issuer, fetch: Fetch) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            keys = await keys_of(issuer, fetch)
    except (NotFetched, Unusable, TimeoutError) as error:
        reason = "It does not answer in time." if isinstance(error, TimeoutError) else str(error)
        return fault(
            "connectivity",
            f"The identity provider {issuer.issuer} cannot be used: {reason}",
            "Nobody can sign in by it. Look at its address in SWITCHBOARD_ISSUERS, and at the way from here to it.",
        )
    return ok("connectivity", f"The identity provider {issuer.issuer} has {len(keys)} keys.")


async def _own_address(host: str, port: int) -> Finding:
    where = f"{host} port {port}"
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(_EVERYWHERE.get(host, host), port)
    except (OSError, TimeoutError):
        return ok("address", f"{where} is free: no server runs here now.")
    said = b""
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            said = await reader.read(4_096)
    except (OSError, TimeoutError):
        pass  # it listens, and nothing more can be known of it
    finally:
        writer.close()
    if b'{"status":"up"}' in said:
        return ok("address", f"A server answers at {where}.")
    return warning(
        "address", f"Another program listens at {where}.", "Set SWITCHBOARD_PORT, or `--port`, to a free one."
    )
