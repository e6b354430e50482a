"""One attack until standard input ends: `python -m tests.soak.hostile.attacker <name>`.

It takes a `Target` as a line of JSON, says `ready`, and at the end gives its `Tally`."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any

import orjson
import uvloop

from tests.soak.hostile.attacks import ATTACKS
from tests.soak.hostile.innocent import say
from tests.soak.hostile.target import Hostile, Target

_NICE = 15


def _yield_cores() -> None:
    """Leave the cores to the innocent and the server: what hurts has to be the server's work, not the attacker's.

    A core on which an idle process works counts as a free one for whatever wakes up. One of a low priority does not:
    the server's threads would wait for each other on the other core."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(_NICE)


_ENDS_WITHIN = 3.0


async def main(name: str) -> None:
    given: dict[str, Any] = orjson.loads(await asyncio.to_thread(sys.stdin.readline))
    hostile = Hostile(Target(**{**given, "refs": tuple(given["refs"])}))
    attack = asyncio.ensure_future(ATTACKS[name](hostile))
    say(b"ready")
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait((attack, ended), return_when=asyncio.FIRST_COMPLETED)
    failed = f"{attack.exception()!r}" if attack.done() else None
    attack.cancel()
    with suppress(asyncio.CancelledError, TimeoutError, Exception):
        await asyncio.wait((attack,), timeout=_ENDS_WITHIN)
    tally = hostile.tally
    say(orjson.dumps({"answers": dict(tally.answers), "internal": tally.internal, "failed": failed}))
    # What is still open ends with the process, as that of an attacker does.
    os._exit(0)


if __name__ == "__main__":
    _yield_cores()
    uvloop.run(main(sys.argv[1]))
