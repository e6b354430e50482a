"""The command `documents`."""

from pathlib import Path

from cyclopts import App

from app.commands.opening import read_settings
from app.terminal import CommandError, columns

documents = App(name="documents", help="Add and list the GraphQL documents that are trusted.", version_flags=[])


@documents.command
def add(*files: Path) -> None:
    """Add documents to the folder `SWITCHBOARD_DOCUMENTS_FOLDER`, and print what clients name them by.

    A server reads the folder when it starts.

    Parameters
    ----------
    files
        Files with a GraphQL document each, exactly as the client will hash it.
    """
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
    texts = []
    for file in files:
        try:
            text = file.read_bytes().decode()
            reader.read(text)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        except Refused as refused:
            raise CommandError(f"{file}: {refused.entries[0]['message']}") from None
        texts.append((file, text))
    rows = [(f"sha256:{add_trusted(Path(folder), text)}", str(file)) for file, text in texts]
    columns(("DOCUMENT ID", "FILE"), rows)


@documents.command(name="list")
def list_() -> None:
    """List the documents of the folder by what clients name them by."""
    from app.execution.trusted import read_trusted

    found = read_trusted(read_settings())
    columns(("DOCUMENT ID", "BYTES"), [(f"sha256:{digest}", str(len(text.encode()))) for digest, text in found.items()])
