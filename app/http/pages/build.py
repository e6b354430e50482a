"""The GraphiQL build: fetched once by npm, checked, kept beside the project.

`python -m app graphiql` fetches it. It is optional: without npm or a network the explorer is served.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

PACKAGE = "@graphql-yoga/render-graphiql"
VERSION = "5.24.1"
_SHA512 = "mLFvBekZujetoh7M9jokYkQtrjrmiKD5KSTfV6ivMAFNgV8KcLAJeVAH8QOOg6Wvj47+DNBvdlx0R5O2JjtN/A=="

SCRIPT = "graphiql.js"
STYLES = "graphiql.css"

_FILES = {
    "js": SCRIPT,
    "css": STYLES,
    "editorWorkerService": "editorWorkerService.js",
    "jsonWorker": "json.js",
    "graphqlWorker": "graphql.js",
}
"""Where each text that the package's module exports is kept; a worker under the label that the editor asks for."""

_MODULE = "package/esm/graphiql.js"
_LICENCE = "package/LICENSE"
_EXPORT = re.compile(r'export const (\w+) = (".*");')
_PATIENCE = 40.0
_NOT_AGAIN_SECONDS = 24 * 3600.0
_FAILED = "failed"


class FetchError(Exception):
    """The build could not be fetched; the message says why."""


def found(folder: Path) -> Path | None:
    """The folder of the build's files, if it has been fetched."""
    path = folder / VERSION
    return path if all((path / name).is_file() for name in _FILES.values()) else None


def fetch(folder: Path) -> None:
    """Fetch the build by npm into the folder. Raises FetchError, and leaves nothing half done then."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed")
    with tempfile.TemporaryDirectory() as name:
        archive = _packed(npm, Path(name))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != _SHA512:
            raise FetchError(f"{PACKAGE} {VERSION} is not the one that is known")
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder))
        try:
            _unpack(archive, made)
            made.chmod(0o755)
            # At once, so that a build is whole or absent, also when two processes make it.
            os.replace(made, folder / VERSION)
        except OSError:
            if found(folder) is None:
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _packed(npm: str, folder: Path) -> Path:
    options = ("--silent", "--fetch-retries=0", "--fetch-timeout=15000", "--pack-destination", str(folder))
    try:
        subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", *options],
            cwd=folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
        )
    except (subprocess.SubprocessError, OSError):
        raise FetchError(f"npm could not fetch {PACKAGE} {VERSION}") from None
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise FetchError(f"npm fetched no archive of {PACKAGE} {VERSION}")
    return archives[0]


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        licence, module = opened.extractfile(_LICENCE), opened.extractfile(_MODULE)
        if licence is None or module is None:
            raise FetchError(f"{PACKAGE} {VERSION} has no {_MODULE}")
        (folder / "LICENSE").write_bytes(licence.read())
        texts = dict(_EXPORT.findall(module.read().decode()))
    for name, file in _FILES.items():
        (folder / file).write_text(json.loads(texts[name]), encoding="utf-8")


def main(folder: Path) -> None:
    """Fetch what is missing, and say on standard error what comes of it. A failure is not repeated for a day."""
    stamp = folder / _FAILED
    if found(folder) or (stamp.exists() and time.time() - stamp.stat().st_mtime < _NOT_AGAIN_SECONDS):
        return
    try:
        fetch(folder)
    except FetchError as error:
        folder.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        _say(f"GraphiQL is not fetched ({error}); /graphql shows the built-in explorer.")
    else:
        stamp.unlink(missing_ok=True)
        _say(f"Fetched GraphiQL {VERSION} into {folder}.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
