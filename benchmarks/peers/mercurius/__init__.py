"""Mercurius, where npm is present: installed once as its package.json pins it."""

import shutil
import subprocess
from pathlib import Path

from rich.console import Console

_HERE = Path(__file__).parent
_PATIENCE = 180
_INSTALL = ("install", "--silent", "--no-audit", "--no-fund", "--no-package-lock")


def command_of_mercurius(folder: Path, console: Console) -> list[str] | None:
    """The command that starts it, but for the database's address; None, and why, where it cannot be had."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        console.print("Mercurius is left out: npm is not on this machine.")
        return None
    home = folder / "mercurius"
    home.mkdir(exist_ok=True)
    wanted, installed = (_HERE / "package.json").read_bytes(), home / "installed.json"
    if not installed.exists() or installed.read_bytes() != wanted:
        (home / "package.json").write_bytes(wanted)
        try:
            subprocess.run([npm, *_INSTALL], cwd=home, check=True, timeout=_PATIENCE, stdout=subprocess.DEVNULL)
        except (subprocess.SubprocessError, OSError):
            console.print("Mercurius is left out: npm did not install what its package.json pins.")
            return None
        installed.write_bytes(wanted)
    # Imports are looked up from where a module lies.
    shutil.copy(_HERE / "server.mjs", home)
    return [node, str(home / "server.mjs")]
