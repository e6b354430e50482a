"""Names whose server is silent."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from app.outbound.resolver import LookupLimits, Resolver
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio


async def test_names_that_are_silent_hold_up_no_others() -> None:
    silent, both = asyncio.Event(), asyncio.Barrier(2)
    looked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        looked.append(host)
        if host.startswith("silent"):
            await silent.wait()
        if host.startswith("both"):
            await both.wait()
        return ["8.8.8.8"]

    resolver = Resolver(lookup, LookupLimits(prompt=2, silent=2, known_silent=1, patience=0.01))
    # Those that begin as any other let go of their turn.
    first = [asyncio.ensure_future(resolver.resolve(f"silent{number}.example", 443)) for number in range(2)]
    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(*(resolver.resolve(f"both{number}.example", 443) for number in range(2)))
        assert found == [[ip_address("8.8.8.8")]] * 2
        silent.set()
        await asyncio.gather(*first)
        silent.clear()
        looked.clear()
        # Known by now: of many one is looked up at a time, and the rest of the turns are for others.
        again = [asyncio.ensure_future(resolver.resolve(f"silent{n}.example", p)) for n in (0, 1) for p in (1, 2)]
        for name in ("b", "c", "d"):
            await resolver.resolve(f"{name}.example", 443)
        assert sorted(looked) == ["b.example", "c.example", "d.example", "silent0.example"]
        silent.set()
        await asyncio.gather(*again)
        looked.clear()
        silent.clear()
        # One that was answered in time counts as any other again.
        late = [asyncio.ensure_future(resolver.resolve(f"silent{n}.example", 3)) for n in (0, 1)]
        await resolver.resolve("e.example", 443)
        assert sorted(looked) == ["e.example", "silent0.example", "silent1.example"]
        silent.set()
        await asyncio.gather(*late)
    resolver.close()
