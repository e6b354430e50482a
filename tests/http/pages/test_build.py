"""The GraphiQL build: fetched whole and as it is known, or not at all."""

import base64
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from app.http.pages import build

TEXTS = {"js": "run('\n');", "css": "a{}", "editorWorkerService": "1", "jsonWorker": "2", "graphqlWorker": "3"}


def archive(path: Path) -> bytes:
    """An archive as the package's, with small texts."""
    module = "".join(f"export const {name} = {json.dumps(text)};\n" for name, text in TEXTS.items()).encode()
    with tarfile.open(path, "w:gz") as made:
        for name, content in (("package/esm/graphiql.js", module), ("package/LICENSE", b"MIT")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return path.read_bytes()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm that packs what lies beside it; the script, for tests that have it fail."""
    content = archive(tmp_path / "known.tgz")
    monkeypatch.setattr(build, "_SHA512", base64.b64encode(hashlib.sha512(content).digest()).decode())
    script = tmp_path / "bin" / "npm"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho called >> {tmp_path}/calls\ncp {tmp_path}/known.tgz "$PWD"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return script


def calls(folder: Path) -> int:
    path = folder / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_build_is_fetched_once(tmp_path: Path, npm: Path) -> None:
    folder = tmp_path / "graphiql"
    assert build.found(folder) is None
    build.main(folder)
    build.main(folder)
    found = build.found(folder)
    assert found == folder / build.VERSION
    assert {path.name: path.read_text() for path in found.iterdir()} == {
        "graphiql.js": TEXTS["js"],
        "graphiql.css": TEXTS["css"],
        "editorWorkerService.js": "1",
        "json.js": "2",
        "graphql.js": "3",
        "LICENSE": "MIT",
    }
    assert [path.name for path in folder.iterdir()] == [build.VERSION]
    assert calls(tmp_path) == 1


def test_build_that_is_not_the_known_one_is_refused(tmp_path: Path, npm: Path) -> None:
    (tmp_path / "known.tgz").write_bytes(b"something else")
    with pytest.raises(build.FetchError, match="is not the one that is known"):
        build.fetch(tmp_path / "graphiql")
    assert not (tmp_path / "graphiql").exists()


def test_build_that_cannot_be_fetched_is_not_tried_again_for_a_day(
    tmp_path: Path, npm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "graphiql"
    npm.write_text(f"#!/bin/sh\necho called >> {tmp_path}/calls\nexit 1\n", encoding="utf-8")
    build.main(folder)
    assert "npm could not fetch" in capsys.readouterr().err
    build.main(folder)
    assert (calls(tmp_path), capsys.readouterr().err) == (1, "")
    stamp = folder / "failed"
    os.utime(stamp, (stamp.stat().st_atime, stamp.stat().st_mtime - 25 * 3600))
    build.main(folder)
    assert calls(tmp_path) == 2


def test_build_needs_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    build.main(tmp_path / "graphiql")
    assert capsys.readouterr().err == (
        "GraphiQL is not fetched (npm is not installed); /graphql shows the built-in explorer.\n"
    )
