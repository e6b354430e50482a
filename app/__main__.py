"""The `switchboard` command."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from app.commands import listening
from app.commands.backups import backup, renumber, restore
from app.commands.connections import connections
from app.commands.doctor import doctor
from app.commands.documents import documents
from app.commands.explaining import explain
from app.commands.keys import keys, peppers, push_key, secrets_key
from app.commands.opening import opened, prepare, read_settings
from app.commands.serving import serve
from app.commands.teams import teams
from app.commands.users import users
from app.terminal import CommandError, console, progress

if TYPE_CHECKING:
    from app.settings import Settings

# Every import that takes long is inside the command that needs it, so that `--help` answers at once.

app = App(
    name="switchboard",
    help="One live GraphQL graph over every support session a business has.",
    help_format="markdown",
    help_epilogue="Settings are environment variables; `docs/settings.md` lists them.",
    version_flags=[],
)


app.command(serve, sort_key=1)

for number, group in ((4, keys), (5, users), (5, teams), (6, peppers), (7, connections), (13, documents)):
    group.sort_key = number
    app.command(group)

app.command(secrets_key, sort_key=6)
app.command(push_key, sort_key=6)
for each in (doctor, backup, restore, renumber):
    app.command(each, sort_key=10)
app.command(explain, sort_key=11)
app.command(listening.listen, sort_key=12)


@app.command(sort_key=2)
def migrate() -> None:
    """Bring the database's structure up to date. `serve` does this too."""
    prepare(read_settings())
    console().print("The database is up to date.")


@app.command(sort_key=3)
def demo(*, force: bool = False) -> None:
    """Load the demo data, some fifty interactions. `serve` does this at its first start with an empty database.

    Parameters
    ----------
    force
        Add it to the interactions that are there.
    """
    settings = read_settings()
    prepare(settings)
    console().print(asyncio.run(_load_demo(settings, force)))


@app.command(sort_key=7)
def graphiql() -> None:
    """Fetch GraphiQL by npm, once. Without npm or a network the built-in explorer is served."""
    from app.http.pages.build import main
    from app.settings import load_settings

    # Without the settings of kinds, which would load the whole graph before each start of a server.
    main(Path(load_settings(kinds=None).graphiql_folder))


@app.command(sort_key=8)
def schema(*, check: bool = False, release: bool = False) -> None:
    """Write the schema to `schema.graphql`, and what clients' caches have to know of it to `docs/clients/graph.ts`.

    Parameters
    ----------
    check
        Write nothing; fail when a file is not what the code says, or `CHANGELOG.md` does not name a breaking change.
    release
        Write the schema to `released.graphql` too, with which `--check` compares the next ones.
    """
    from app.commands import breaking, written

    if not check:
        written.write()
        if release:
            breaking.release()
    elif lines := written.differences():
        sys.stdout.writelines(f"{line}\n" for line in lines)
        raise CommandError("The files are not what the code says. ./scripts/schema writes them.")
    elif changes := breaking.unnamed_here():
        sys.stdout.writelines(f"{change}\n" for change in changes)
        raise CommandError("The coming release's section of CHANGELOG.md does not name these breaking changes.")


@app.command(sort_key=9)
def recompute() -> None:
    """Derive state, attention and deadlines of all interactions anew, after a setting has changed.

    The server may run, with the new settings; whatever becomes different is told to its listeners.
    """
    settings = read_settings()
    prepare(settings)
    console().print(asyncio.run(_recompute(settings)))


@app.command(sort_key=10)
def erasures(action: Literal["export", "repeat"], file: Path) -> None:
    """Write the log of erased customers to a file, or erase those of a file again after a restored backup.

    Parameters
    ----------
    file
        One erasure a line: ids and times, no personal data.
    """
    settings = read_settings()
    prepare(settings)
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if action == "repeat" else None
        said, written = asyncio.run(_erasures(settings, lines))
        if written is not None:
            file.write_text(written, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {error}") from None
    console().print(said)


async def _load_demo(settings: "Settings", force: bool) -> str:
    from app.demo.loading import load

    async with opened(settings) as database:
        loaded = await load(database, force=force)
    if loaded.was_there:
        return "The demo is there already; nothing was changed."
    return f"Loaded {loaded.interactions:,} interactions with {loaded.messages:,} messages."


async def _recompute(settings: "Settings") -> str:
    from app.scheduler import recompute_all

    with progress("Interactions") as report:
        async with opened(settings) as database:
            found = await recompute_all(database, report)
    if found.failures:
        causes = "\n".join(f"{failure.ref}: {failure.error}" for failure in found.failures[:10])
        raise CommandError(f"{len(found.failures):,} of {found.found:,} interactions could not be derived.\n{causes}")
    return f"Of {found.found:,} interactions {found.changed:,} changed, and of {found.moved:,} more the deadline."


async def _erasures(settings: "Settings", lines: list[str] | None) -> tuple[str, str | None]:
    from app.scheduler import erasures

    async with opened(settings) as database:
        return await (erasures.export(database) if lines is None else erasures.repeat(database, lines))


def main() -> None:
    """Run the command line; what went wrong for a known reason is one line, with exit status 1."""
    try:
        app()
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        sys.exit("\n".join(f"switchboard: {line}" for line in str(error).splitlines()))


def _is_for_the_user(error: Exception) -> bool:
    from app.core.errors import DomainError
    from app.settings import SettingsError
    from app.storage.engines import ConfigurationError

    return isinstance(error, CommandError | SettingsError | ConfigurationError | DomainError)


if __name__ == "__main__":
    main()
