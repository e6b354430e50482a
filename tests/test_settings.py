from datetime import UTC, datetime, timedelta

import orjson
import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.core.sealing import new_key
from app.core.vapid import new_private_key
from app.execution.limits import Limits
from app.kinds.agent_session.settings import AgentSessionSettings
from app.registry import SETTINGS
from app.settings import PREFIX, Settings, SettingsError, declared, load_settings
from app.settings.showing import SettingSource, shown_settings
from tests.test_docs import written

FIELDS = declared(SETTINGS)


def _is_duration(field: FieldInfo) -> bool:
    return isinstance(field.default, timedelta)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FIELDS:
        monkeypatch.delenv(f"SWITCHBOARD_{name.upper()}", raising=False)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), (" 7d ", 604_800)])
def test_durations_are_read(text: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_SESSION_WINDOW", text)
    assert load_settings(kinds=SETTINGS).session_window == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2 hours", "PT2H", "-1h", "1.5h", "٢h"])
def test_other_durations_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_SESSION_WINDOW", text)
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    assert str(refused.value) == "SWITCHBOARD_SESSION_WINDOW: it has to look like 90s, 30m, 2h or 7d."


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if _is_duration(field)])
@pytest.mark.parametrize("text", ["0", "0d", "36501d", "3153600001s", "999999999d", "999999999999999999d"])
def test_durations_that_cannot_be_reckoned_with_are_refused(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SWITCHBOARD_{name.upper()}", text)
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    variable = f"SWITCHBOARD_{name.upper()}"
    assert str(refused.value) == f"{variable}: it has to be longer than 0s and at most 36500d."


def test_durations_at_the_limit_can_be_reckoned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_EVENT_RETENTION", "36500d")
    longest = load_settings(kinds=SETTINGS).event_retention
    now = datetime.now(UTC)
    assert now - longest < now < now + longest


@pytest.mark.parametrize("name", ["bootstrap_key", "key_pepper"])
@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "it is empty; leave the variable unset to do without it"),
        ("  \t ", "it is empty; leave the variable unset to do without it"),
        ("x" * 15, "it needs 16 to 255 characters, such as `openssl rand -hex 32`"),
        ("x" * 256, "it needs 16 to 255 characters, such as `openssl rand -hex 32`"),
        (f" {'x' * 16}", "it must not begin or end with white space"),
        (f"{'x' * 16}\n", "it must not begin or end with white space"),
    ],
)
def test_secrets_that_protect_nothing_are_refused(
    name: str, secret: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SWITCHBOARD_{name.upper()}", secret)
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    assert str(refused.value) == f"SWITCHBOARD_{name.upper()}: {says}."


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_port_option_outside_the_range_is_refused_by_its_name(port: int) -> None:
    with pytest.raises(SettingsError, match=r"^--port: Input should be "):
        load_settings({"port": port})


@pytest.mark.parametrize(("name", "most"), [("reader_threads", 256), ("pool_size", 1_000)])
def test_more_threads_and_connections_than_a_machine_has_are_refused(name: str, most: int) -> None:
    assert getattr(Settings(**{name: most}), name) == most  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=f"less than or equal to {most}"):
        Settings(**{name: most + 1})  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("vapid_key", "hunter2", "it is no key; `python -m app push-key` makes one"),
        ("vapid_contact", "ops", "it has to be a mailto: address or an https URL"),
        ("vapid_contact", "http://example.com", "it has to be a mailto: address or an https URL"),
        ("smtp_sender", "ops", "it has to be an e-mail address"),
        ("phone_region", "no", "it has to be a country as by ISO 3166, such as NO"),
        ("public_url", "example.com", "it has to be a URL such as https://switchboard.example.com"),
    ],
)
def test_settings_of_another_form_are_refused(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SWITCHBOARD_{name.upper()}", value)
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    assert str(refused.value) == f"SWITCHBOARD_{name.upper()}: {says}."


def test_secrets_keys_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = new_key(), new_key()
    monkeypatch.setenv("SWITCHBOARD_SECRETS_KEY", f"{new}, {old}")
    settings = load_settings(kinds=SETTINGS)
    assert [key.get_secret_value() for key in settings.secrets_key] == [new, old]
    assert new not in repr(settings)
    monkeypatch.setenv("SWITCHBOARD_SECRETS_KEY", f"{new},hunter2")
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    assert str(refused.value) == "SWITCHBOARD_SECRETS_KEY: it is no key; `python -m app secrets-key` makes one."


def test_outbound_networks_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_OUTBOUND_NETWORKS", "10.20.0.0/16, ::1/128,127.0.0.1")
    networks = load_settings(kinds=SETTINGS).outbound_networks
    assert list(map(str, networks)) == [
        "10.20.0.0/16",
        "::1/128",
        "127.0.0.1/32",
    ]
    monkeypatch.setenv("SWITCHBOARD_OUTBOUND_NETWORKS", "10.20.0.0/16,example.com")
    with pytest.raises(SettingsError, match="SWITCHBOARD_OUTBOUND_NETWORKS: value is not a valid IPv4 or IPv6 network"):
        load_settings(kinds=SETTINGS)


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_ALLOWED_ORIGINS", "https://a.example/, https://b.example:8080,")
    assert load_settings(kinds=SETTINGS).allowed_origins == ("https://a.example", "https://b.example:8080")
    # As a browser spells them.
    given = "HTTPS://Ui.Example:443,http://localhost:80/,http://[::1]:5173,capacitor://localhost,null,*"
    monkeypatch.setenv("SWITCHBOARD_ALLOWED_ORIGINS", given)
    spelled = ("https://ui.example", "http://localhost", "http://[::1]:5173", "capacitor://localhost", "null", "*")
    assert load_settings(kinds=SETTINGS).allowed_origins == spelled


@pytest.mark.parametrize(
    "text", ["localhost:5173", "ui.example", "https://ui.example/app", "https://me@ui.example", "https://", "https://*"]
)
def test_origin_that_no_browser_sends_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SWITCHBOARD_ALLOWED_ORIGINS", f"https://a.example,{text}")
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    told = "an origin is a scheme, a host and a port unless it is the usual one, such as http://localhost:5173"
    assert str(refused.value) == f"SWITCHBOARD_ALLOWED_ORIGINS: {told}."


def test_the_escalation_rule_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_ESCALATION", '{"tier": ["gold", "platinum"], "handoff": null}')
    settings = load_settings(kinds=SETTINGS).of(AgentSessionSettings)
    assert settings.escalation == {
        "tier": ("gold", "platinum"),
        "handoff": None,
    }


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
        load_settings(kinds=SETTINGS)
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
        {
            "database_url": "postgresql://me:word@db/a",
            "bootstrap_key": "first-of-my-keys",
            "key_pepper": "salt-of-my-keys!",
        }
    )
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    shown = repr(settings).replace("'", " ").replace(":", " ").split()
    assert not {"word", "first-of-my-keys", "salt-of-my-keys!"} & set(shown)


ISSUER = {"issuer": "https://login.example.com", "audiences": ["switchboard"]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "unexpected end of data: line 1 column 2 (char 1)"),
        ({}, "Input should be a valid tuple"),
        ([{**ISSUER, "audiences": []}], "0.audiences: Tuple should have at least 1 item after validation, not 0"),
        ([ISSUER, {"issuer": "https://b.example.com"}], "1.audiences: Field required"),
        ([{**ISSUER, "audience": "x"}], "0.audience: Extra inputs are not permitted"),
        ([{**ISSUER, "groups": {"a": {"permission": []}}}], "0.groups.a.permission: Extra inputs are not permitted"),
        (
            [{**ISSUER, "issuer": "http://login.example.com"}],
            "0.issuer: it has to begin with https://; http:// is for this machine alone",
        ),
        ([{**ISSUER, "issuer": "https://login.example.com?tenant=1"}], "0.issuer: an issuer has no query"),
        ([{**ISSUER, "groups_claim": []}], "0.groups_claim: Value should have at least 1 item after validation, not 0"),
        ([ISSUER, ISSUER], "an issuer is named twice"),
    ],
)
def test_issuers_that_cannot_be_used_are_refused(monkeypatch: pytest.MonkeyPatch, given: object, says: str) -> None:
    text = given if isinstance(given, str) else orjson.dumps(given).decode()
    monkeypatch.setenv("SWITCHBOARD_ISSUERS", text)
    with pytest.raises(SettingsError) as refused:
        load_settings(kinds=SETTINGS)
    assert str(refused.value) == f"SWITCHBOARD_ISSUERS: {says}."


def test_issuers_are_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**ISSUER, "groups_claim": ["realm_access", "roles"], "groups": {"a": {"admin": True}}}
    monkeypatch.setenv("SWITCHBOARD_ISSUERS", orjson.dumps([given]).decode())
    (issuer,) = load_settings(kinds=SETTINGS).issuers
    assert (issuer.groups_claim, issuer.email_claim) == (("realm_access", "roles"), ("email",))
    assert (issuer.groups["a"].admin, issuer.groups["a"].permissions) == (True, ())
    assert (issuer.link_by_email, issuer.create_users) == (True, False)


def test_settings_are_shown_with_their_sources_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a-secret-of-the-tests"
    unset = {name for name, field in FIELDS.items() if written(field.default) == "none"}
    for shown, (name, field) in zip(shown_settings(load_settings(kinds=SETTINGS)), FIELDS.items(), strict=True):
        default = None if name in unset else written(field.default).strip("`")
        assert (shown.name, shown.value, shown.is_set) == (f"{PREFIX}{name.upper()}", default, name not in unset)
        assert (shown.source, shown.description) == (SettingSource.DEFAULT, field.description)
    given = {
        "DATABASE_URL": f"postgresql://user:{secret}@db.example.com:5433/desk?password={secret}",
        **dict.fromkeys(("BOOTSTRAP_KEY", "KEY_PEPPER", "METRICS_KEY", "SMTP_PASSWORD"), secret),
        "KEY_PEPPER_PREVIOUS": orjson.dumps([secret]).decode(),
        "SECRETS_KEY": new_key(),
        "VAPID_KEY": new_private_key(),
        "READ_URL": f"postgresql://user:{secret}@b.example.com/desk, postgresql://user:{secret}@c.example.com/desk",
        "TRACES_URL": f"https://user:{secret}@traces.example.com/v1",
        "SHARED_STORE": f"rediss://user:{secret}@cache.example.com:6379/1?ssl_ca_certs=/etc/ca.pem",
        "OUTBOUND_NETWORKS": "10.0.0.0/8, 127.0.0.1/32",
        "ISSUERS": '[{"issuer": "https://login.example.com", "audiences": ["a"]}]',
        "SLOW_LOG": "90",
        "SESSION_WINDOW": "3h",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    found = {each.name.removeprefix(PREFIX): each for each in shown_settings(load_settings({"port": 9}, SETTINGS))}
    assert {name for name, each in found.items() if each.source is SettingSource.ENVIRONMENT} == given.keys()
    assert {name for name, each in found.items() if each.source is SettingSource.OPTION} == {"PORT"}
    hidden = {name for name, each in found.items() if each.is_secret}
    assert hidden == {name for name in given if name.endswith(("KEY", "PEPPER", "PREVIOUS", "PASSWORD"))}
    assert all(found[name].is_set and found[name].value is None for name in hidden)
    values = {name: found[name].value for name in given if name not in hidden}
    assert values == {
        "DATABASE_URL": "postgresql://db.example.com:5433/desk",
        "READ_URL": "postgresql://b.example.com/desk,postgresql://c.example.com/desk",
        "TRACES_URL": "https://traces.example.com/v1",
        "SHARED_STORE": "rediss://cache.example.com:6379/1",
        "OUTBOUND_NETWORKS": "10.0.0.0/8,127.0.0.1/32",
        "ISSUERS": '[{"issuer":"https://login.example.com","audiences":["a"]}]',
        "SLOW_LOG": "90s",
        "SESSION_WINDOW": "3h",
    }


@pytest.mark.parametrize("password", ["a/b", "a?b", "a#b", "a@b", "a b"])
def test_settings_address_that_cannot_be_read_for_sure_is_not_shown(password: str) -> None:
    address = f"postgresql://user:{password}@db.example.com/desk"
    shown = next(shown_settings(Settings(database_url=address)))
    assert shown.value == "postgresql://…"


@pytest.mark.parametrize(
    ("primary", "replicas", "says"),
    [
        ("sqlite:///desk.db", "postgresql://b.example.com/desk", "SWITCHBOARD_READ_URL: SQLite has no replicas"),
        ("postgresql://a.example.com/desk", "sqlite:///desk.db", "SWITCHBOARD_READ_URL: each has to begin with"),
        ("postgresql://a.example.com/desk", "postgresql://a.example.com/desk", "SWITCHBOARD_READ_URL: one of them is"),
        ("postgresql://a.example.com/desk", "postgresql://b/desk,postgresql://b/desk", "a replica is named twice"),
    ],
)
def test_settings_replicas_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, primary: str, replicas: str, says: str
) -> None:
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", primary)
    monkeypatch.setenv("SWITCHBOARD_READ_URL", replicas)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "cache.example.com:6379",
        "http://cache.example.com",
        "redis://",
        "redis://:secret-of-the-tests@",
        "redis://cache.example.com:port",
        "redis://cache.example.com:0/1",
        "redis://cache.example.com/one",
        "redis://user:secret/of@the-tests@cache.example.com/1",
        "unix:///run/redis.sock",
    ],
)
def test_settings_address_of_the_shared_store_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SWITCHBOARD_SHARED_STORE", address)
    with pytest.raises(
        SettingsError, match=r"^SWITCHBOARD_SHARED_STORE: it has to be a URL such as redis://"
    ) as refused:
        load_settings(kinds=SETTINGS)
    assert "secret" not in str(refused.value)


def test_settings_share_of_cost_has_room_for_every_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_COST_LIMIT", "19999")
    with pytest.raises(SettingsError, match=r"^SWITCHBOARD_COST_LIMIT: it is 0, or at least 20000"):
        load_settings(kinds=SETTINGS)
    monkeypatch.setenv("SWITCHBOARD_COST_LIMIT", "20000")
    assert load_settings(kinds=SETTINGS).cost_limit == Limits().cost
