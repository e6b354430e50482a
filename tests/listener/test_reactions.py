"""What an alert sets off, with what a hostile customer wrote in it."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.listener.items import line, plain
from app.listener.reactions import Command, notification

pytestmark = pytest.mark.anyio

HOSTILE = "\x1b]0;gone\x07$(touch hacked) `id` <b>--help</b>\n\u202eeve"


def alert(**given: Any) -> dict[str, Any]:
    return {
        "change": "ENTERED",
        "topic": "ATTENTION_RAISED",
        "at": "2026-01-05T09:00:00.000000Z",
        "interactionId": "cnv_1",
        "kind": "CONVERSATION",
        "levelBefore": None,
        "levelAfter": "HIGH",
        "reasonAfter": "MISSED",
        "interaction": {"customer": {"name": HOSTILE}},
        **given,
    }


class Runs:
    """A program that writes down how it is run."""

    def __init__(self, folder: Path, source: str = "") -> None:
        self.told: list[str] = []
        self._file = folder / "run.json"
        self._script = folder / "program.py"
        self._script.write_text(
            source
            or "import json, os, sys\n"
            f"with open({str(self._file)!r}, 'a') as file:\n"
            "    file.write(json.dumps([sys.argv[1:], sys.stdin.read(), dict(os.environ)]) + '\\n')\n"
        )

    def command(self, *words: str, seconds: float = 60, every_item: bool = False) -> Command:
        program = [sys.executable, str(self._script), *words]
        return Command(program, {"PATH": os.environ["PATH"]}, self.told.append, seconds=seconds, every_item=every_item)

    @property
    def seen(self) -> list[Any]:
        return [orjson.loads(each) for each in self._file.read_text().splitlines()] if self._file.exists() else []


async def test_exec_gets_the_item_as_json_and_only_codes_in_its_environment(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    await runs.command("--level", "$ALERT_LEVEL")(alert())
    (words, given, environment) = runs.seen[0]
    assert words == ["--level", "$ALERT_LEVEL"]
    assert orjson.loads(given) == alert()
    assert {name: value for name, value in environment.items() if name.startswith("ALERT_")} == {
        "ALERT_CHANGE": "ENTERED",
        "ALERT_ID": "cnv_1",
        "ALERT_KIND": "CONVERSATION",
        "ALERT_LEVEL": "HIGH",
        "ALERT_REASON": "MISSED",
        "ALERT_TOPIC": "ATTENTION_RAISED",
    }
    assert not any("touch" in value for value in environment.values())
    assert runs.told == []


@pytest.mark.parametrize(
    ("given", "runs_it"),
    [
        ({"change": "WAITING", "topic": None}, True),
        ({"change": "UPDATED", "topic": "ATTENTION_RENEWED", "levelBefore": "HIGH"}, True),
        ({"change": "UPDATED", "levelBefore": "NORMAL"}, True),
        ({"change": "UPDATED", "levelBefore": "URGENT"}, False),
        ({"change": "UPDATED", "topic": "INTERACTION_CLAIMED", "levelBefore": "HIGH"}, False),
        ({"change": "LEFT", "levelAfter": None, "reasonAfter": None, "interaction": None}, False),
    ],
)
async def test_exec_is_run_for_alerts_or_for_every_item(tmp_path: Path, given: dict[str, Any], runs_it: bool) -> None:
    runs = Runs(tmp_path)
    await runs.command()(alert(**given))
    assert len(runs.seen) == runs_it
    await runs.command(every_item=True)(alert(**given))
    assert len(runs.seen) == runs_it + 1


async def test_exec_that_fails_or_takes_too_long_is_told(tmp_path: Path) -> None:
    failing = Runs(tmp_path, "import sys; sys.exit(3)")
    await failing.command()(alert())
    assert failing.told == ["The command ended with status 3 for cnv_1."]
    slow = Runs(tmp_path, "import subprocess; subprocess.run(['sleep', '600'])")
    await slow.command(seconds=0.3)(alert())
    assert slow.told == ["The command took longer than 0.3 s, and was stopped, for cnv_1."]
    missing = Command(["/no/such/program"], {}, slow.told.append, seconds=1, every_item=False)
    await missing(alert())
    assert slow.told[1:] == ["The command cannot be run (No such file or directory) for cnv_1."]


@pytest.mark.parametrize("program", ["notify-send", "osascript"])
async def test_notification_hands_hostile_text_on_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    file = tmp_path / program
    written = tmp_path / "words.json"
    file.write_text(f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(written)!r}, 'w'))")
    file.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = notification({})
    assert shown is not None
    await shown(alert(change="LEFT"))
    assert not written.exists()
    await shown(alert())
    words = orjson.loads(written.read_bytes())
    text = "]0;gone $(touch hacked) `id` <b>--help</b> eve (cnv_1)"
    if program == "notify-send":
        text = text.replace("<", "&lt;").replace(">", "&gt;")
        assert words == ["--app-name=Switchboard", "--", "HIGH MISSED", text]
    else:
        assert words[-2:] == ["HIGH MISSED", text]
        assert not any("touch" in word for word in words[:-1])


def test_notification_is_none_where_the_machine_shows_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notification({}) is None


def test_line_of_an_alert_cannot_steer_the_terminal() -> None:
    told = line(alert())
    assert told.startswith("2026-01-05 09:00:00  ENTERED  HIGH    MISSED            cnv_1  ]0;gone $(touch hacked)")
    assert told.isprintable()
    assert line(alert(interaction=None, levelAfter=None, reasonAfter=None)).endswith("-       -                 cnv_1")
    assert plain("a" * 500) == "a" * 200
