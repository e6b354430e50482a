from datetime import timedelta

import pytest
from pydantic import ValidationError

from app.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SWITCHBOARD_{name.upper()}", raising=False)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), (" 7d ", 604_800)])
def test_durations_are_read(text: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_SESSION_WINDOW", text)
    assert load_settings().session_window == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2 hours", "PT2H", "-1h", "1.5h", "٢h"])
def test_other_durations_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_SESSION_WINDOW", text)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == "SWITCHBOARD_SESSION_WINDOW: it has to look like 90s, 30m, 2h or 7d."


@pytest.mark.parametrize(
    ("url", "on_sqlite"),
    [
        ("sqlite:///here.db", True),
        ("sqlite+aiosqlite:////var/lib/there.db", True),
        ("postgres://me:word@db/switchboard", False),
        ("postgresql+asyncpg://db/switchboard", False),
    ],
)
def test_both_databases_are_known_by_their_address(url: str, on_sqlite: bool) -> None:
    assert Settings(database_url=url).on_sqlite is on_sqlite


@pytest.mark.parametrize("url", ["switchboard.db", "mysql://db/switchboard", "sqlite:switchboard.db", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="it has to begin with sqlite:/// or postgresql://"):
        Settings(database_url=url)


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_ALLOWED_ORIGINS", "https://a.example/, https://b.example:8080,")
    assert load_settings().allowed_origins == ("https://a.example", "https://b.example:8080")


def test_the_escalation_rule_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_ESCALATION", '{"tier": ["gold", "platinum"], "handoff": null}')
    assert load_settings().escalation == {"tier": ("gold", "platinum"), "handoff": None}


@pytest.mark.parametrize(
    ("url", "demo", "loads"),
    [
        ("sqlite:///a.db", None, True),
        ("sqlite:///a.db", False, False),
        ("postgresql://db/a", None, False),
        ("postgresql://db/a", True, True),
    ],
)
def test_postgresql_gets_the_demo_only_when_asked(url: str, demo: bool | None, loads: bool) -> None:
    settings = Settings(database_url=url) if demo is None else Settings(database_url=url, demo=demo)
    assert settings.loads_demo is loads


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_PROT", "9000")
    monkeypatch.setenv("SWITCHBOARD_PORT", "ninety")
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", "mysql://me:secret@db/switchboard")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).splitlines() == [
        "SWITCHBOARD_PROT is not a setting. Did you mean SWITCHBOARD_PORT?",
        "SWITCHBOARD_DATABASE_URL: it has to begin with sqlite:/// or postgresql://.",
        "SWITCHBOARD_PORT: Input should be a valid integer, unable to parse string as an integer.",
    ]


def test_variables_of_the_tests_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_TEST_POSTGRES_URL", "postgresql://db/tests")
    assert load_settings() == Settings()


def test_settings_are_frozen_and_hide_secrets() -> None:
    settings = Settings.model_validate(
        {"database_url": "postgresql://me:word@db/a", "bootstrap_key": "swb_first", "key_pepper": "salt"}
    )
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    assert not {"word", "swb_first", "salt"} & set(repr(settings).replace("'", " ").replace(":", " ").split())
