"""The command `documents`."""

from pathlib import Path

from cyclopts import App

from app.commands.opening import read_settings
from app.terminal import CommandError, columns

documents = App(name="documents", help="Add and list the GraphQL documents that are trusted.", version_flags=[])


@documents.command
def add(*files: Path, console: bool = False) -> None:
    """Add documents to the folder `SWITCHBOARD_DOCUMENTS_FOLDER`, and print what clients name them by.

    A server reads the folder when it starts.

    Parameters
    ----------
    files
        Files with a GraphQL document each, exactly as the client will hash it.
    console
        Also the documents of the console, the wallboard and the administration of this version.
    """
    from app.console.documents import documents as documents_of_console
    from app.execution.documents import Documents
    from app.execution.guard import Guard
    from app.execution.limits import Limits
    from app.execution.outcome import Refused
    from app.execution.trusted import add_trusted
    from app.schema import build_schema

    settings = read_settings()
    folder = settings.documents_folder
    if folder is None:
        raise CommandError("SWITCHBOARD_DOCUMENTS_FOLDER has to name the folder.")
    schema = build_schema()
    limits = Limits(document_bytes=settings.max_document_bytes, depth=settings.max_depth)
    reader = Documents(schema, Guard(schema, limits))
    texts = [(str(file), _text_of(file)) for file in files]
    if console:
        texts += [(f"console: {name}", text) for name, text in documents_of_console().items()]
    for name, text in texts:
        try:
            reader.read(text)
        except Refused as refused:
            raise CommandError(f"{name}: {refused.entries[0]['message']}") from None
    rows = [(f"sha256:{add_trusted(Path(folder), text)}", name) for name, text in texts]
    columns(("DOCUMENT ID", "FILE"), rows)


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None


@documents.command(name="list")
def list_() -> None:
    """List the documents of the folder by what clients name them by."""
    from app.execution.trusted import read_trusted

    found = read_trusted(read_settings())
    columns(("DOCUMENT ID", "BYTES"), [(f"sha256:{digest}", str(len(text.encode()))) for digest, text in found.items()])
