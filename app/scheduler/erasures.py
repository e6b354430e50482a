"""Exports the log of erased customers, and repeats it after a restore."""

from collections.abc import Iterable
from datetime import datetime

import orjson

from app.core.clock import rfc3339
from app.core.errors import InvalidInput
from app.core.ids import parse_id
from app.interactions.repository.erasing import Erasure
from app.interactions.service.erasing import erasures, repeat_erasure
from app.storage.database import Database


async def export(database: Database) -> tuple[str, str]:
    """Write one line of JSON for each erasure, with only ids and times. Returns a sentence for the user and the log."""
    found = await database.command(erasures)
    lines = [
        orjson.dumps(
            {
                "customer": f"cus_{done.customer_id}",
                "createdAt": rfc3339(done.customer_created_at),
                "erasedAt": rfc3339(done.erased_at),
            }
        ).decode()
        for done in found
    ]
    return f"Wrote {len(found):,} erasures.", "".join(f"{line}\n" for line in lines)


async def repeat(database: Database, lines: Iterable[str]) -> tuple[str, None]:
    """Erase each customer in the lines that exists, each in a unit of work. Returns a sentence for the user.

    The scheduler erases their messages later. Raises InvalidInput for an invalid line, before anything is erased."""
    read = [_erasure(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    erased = 0
    for done in read:
        erased += await database.command(repeat_erasure, done)
    return f"Of {len(read):,} erased customers {erased:,} were there again; they are erased.", None


def _erasure(number: int, line: str) -> Erasure:
    try:
        given = orjson.loads(line)
        ref = parse_id(given["customer"])
        if ref is None or ref.prefix != "cus":
            raise ValueError
        return Erasure(
            ref.number, datetime.fromisoformat(given["createdAt"]), datetime.fromisoformat(given["erasedAt"])
        )
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(f"Line {number} is no erasure.") from None
