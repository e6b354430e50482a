"""The command `explain`."""

import asyncio
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.opening import opened, prepare, read_settings
from app.terminal import CommandError

if TYPE_CHECKING:
    from app.core.actor import Actor
    from app.execution.explaining import Explanation
    from app.settings import Settings

# Every import that takes long is inside the function that needs it, so that `--help` answers at once.


def explain(
    file: Path | None = None,
    /,
    *,
    sql: bool = False,
    variables: str = "{}",
    operation: str | None = None,
    permissions: str | None = None,
) -> None:
    """Show what a query takes: its cost, its statements with their indexes, and under what its plan is cached.

    Parameters
    ----------
    file
        The document; standard input when absent.
    sql
        Show the SQL and the database's own plan of each statement.
    variables
        The variables, as a JSON object.
    operation
        The name of the operation, where the document has several.
    permissions
        Permissions of the caller, separated by commas, or "" for none; an admin's when absent.
    """
    import orjson

    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {error}") from None
    try:
        given = orjson.loads(variables)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"The variables are not JSON: {error}.") from None
    if not isinstance(given, dict):
        raise CommandError("The variables have to be a JSON object.")
    settings = read_settings()
    prepare(settings)
    found = asyncio.run(_explained(settings, text, operation, given, permissions))
    sys.stdout.writelines(f"{line}\n" for line in lines_of(found, sql=sql))


def lines_of(found: "Explanation", *, sql: bool) -> list[str]:
    """An explanation as text: a line for each statement, followed by its SQL and the database's plan where asked."""
    count = _number(len(found.statements), "statement") + (", one snapshot" if found.snapshot else "")
    lines = [f"{found.name or 'query'}: cost {found.cost:,} of {found.most_cost:,}, {count}"]
    for number, each in enumerate(found.statements, 1):
        used = ", ".join(each.indexes) or "no index"
        lines.append(f"{number}. {_number(each.rows, 'row')}, {used}")
        if sql:
            lines += [f"     {line}" for line in each.sql.splitlines()]
            lines += [f"     > {line}" for line in each.steps]
    shared = "not shared between users" if found.personal else "shared by users with equal permissions"
    lines.append(f"Plan cached by {', '.join(found.cached_by)}; results of subscriptions {shared}.")
    lines += [f"Error at {error}" for error in found.errors]
    return lines


async def _explained(
    settings: "Settings", text: str, name: str | None, given: dict[str, Any], permissions: str | None
) -> "Explanation":
    from app.core.clock import utc_now
    from app.execution.explaining import explain as explain_query
    from app.execution.operation import Operations
    from app.execution.outcome import Refused
    from app.graph.context import Context
    from app.schema import build_catalogue, build_schema
    from app.selection.compiler import Compiler

    actor = _caller(permissions)
    async with opened(settings) as database:
        schema = build_schema()
        compiler = Compiler(build_catalogue(schema), database.dialect)
        with closing(Operations(schema, compiler, database, settings, utc_now)) as operations:
            try:
                context = Context(database, actor, settings, utc_now)
                return await explain_query(operations, text, name, given, context)
            except Refused as refused:
                raise CommandError("\n".join(str(entry["message"]) for entry in refused.entries)) from None


def _caller(permissions: str | None) -> "Actor":
    """The actor who asks. Raises InvalidInput for an unknown permission, because it would allow nothing."""
    from app.commands.keys import listed
    from app.core.actor import Actor
    from app.directory.model.user import require_known
    from app.registry import PERMISSIONS

    held = frozenset(listed(permissions or ""))
    require_known(sorted(held), PERMISSIONS)
    return Actor(user_id=0, name="explain", permissions=held, is_admin=permissions is None)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
