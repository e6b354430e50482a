"""The folder of documents that the operator trusts."""

from collections.abc import Mapping
from pathlib import Path

from app.execution.persisted import digest_of
from app.settings import Settings, SettingsError

MOST_DOCUMENTS = 10_000
_SUFFIX = ".graphql"


def read_trusted(settings: Settings) -> Mapping[str, str]:
    """The documents in the folder of the settings by their digests; none without a folder. Raises SettingsError."""
    if settings.documents_folder is None:
        if settings.documents_only:
            raise SettingsError("SWITCHBOARD_DOCUMENTS_ONLY needs SWITCHBOARD_DOCUMENTS_FOLDER.")
        return {}
    folder = Path(settings.documents_folder)
    if not folder.is_dir():
        raise SettingsError(f"SWITCHBOARD_DOCUMENTS_FOLDER: there is no folder {folder}.")
    found: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if len(found) >= MOST_DOCUMENTS:
            raise SettingsError(f"SWITCHBOARD_DOCUMENTS_FOLDER: there are more than {MOST_DOCUMENTS:,} documents.")
        text = _text_of(path, settings.max_document_bytes)
        found[digest_of(text)] = text
    return found


def add_trusted(folder: Path, text: str) -> str:
    """Write the document into the folder; its digest."""
    digest = digest_of(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}{_SUFFIX}").write_bytes(text.encode())
    return digest


def _text_of(path: Path, most: int) -> str:
    try:
        if path.stat().st_size > most:
            raise SettingsError(f"SWITCHBOARD_DOCUMENTS_FOLDER: {path.name} has more than {most:,} bytes.")
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"SWITCHBOARD_DOCUMENTS_FOLDER: {path.name} cannot be read: {error}.") from None
