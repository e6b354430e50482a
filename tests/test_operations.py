"""The files that a deployment begins with: what they name exists, and what can be run of them runs."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.__main__ import app
from app.registry import SETTINGS
from app.settings import PREFIX, Settings, declared
from tests.outbound.certificates import certificate

ROOT = Path(__file__).parents[1]
FILES = ROOT / "docs" / "operations"
PAGE = ROOT / "docs" / "operations.md"
UNIT = FILES / "switchboard.service"
RULES = FILES / "alerts.yml"
RULES_TESTED = ROOT / "tests" / "metrics" / "alerts.yml"
DOCKERFILE = ROOT / "Dockerfile"
TEXTS = [PAGE, DOCKERFILE, *(each for each in FILES.rglob("*") if each.is_file())]


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_operations_name_settings_and_commands_that_exist(file: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+[A-Z])\b", text(file)))
    assert {name.lower() for name in named} <= declared(SETTINGS).keys()
    commands = set(re.findall(r"python -m app ([a-z][a-z-]*)", text(file)))
    assert commands <= set(app)


def test_operations_page_links_to_files_that_exist() -> None:
    linked = re.findall(r"\]\(([^)#]+)", text(PAGE))
    assert [each for each in linked if not (PAGE.parent / each).exists()] == []
    shown = {(PAGE.parent / each).resolve() for each in linked}
    assert {each for each in FILES.rglob("*") if each.is_file()} <= shown


def test_operations_image_copies_what_there_is_and_runs_as_nobody() -> None:
    lines = text(DOCKERFILE).splitlines()
    sources = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    kept = [line[1:] for line in text(ROOT / ".dockerignore").splitlines() if line.startswith("!")]
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch(source, pattern) for pattern in kept), source
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001"]
    check = next(line for line in lines if "urllib.request.urlopen" in line)
    assert "/healthz" in check


def test_operations_manifests_fit_together() -> None:
    deployment, service, budget = yaml.safe_load_all(text(FILES / "kubernetes" / "switchboard.yaml"))
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"]
    selectors = [deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]]
    assert [*selectors, budget["spec"]["selector"]["matchLabels"]] == [labels] * 3
    (container,) = pod["spec"]["containers"]
    probed = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probed == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    set_here: dict[str, Any] = {each["name"]: each["value"] for each in container["env"]}
    assert set_here["SWITCHBOARD_METRICS_PORT"] == str(ports["metrics"])
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    composed = yaml.safe_load(text(FILES / "compose.yaml"))["services"]
    assert (FILES / composed["switchboard"]["build"]).resolve() == ROOT
    assert composed["switchboard"]["depends_on"].keys() <= composed.keys()
    assert yaml.safe_load(text(FILES / "traefik.yml"))["http"]["services"]


def test_operations_rules_have_each_a_case_in_which_they_fire() -> None:
    rules = [rule["alert"] for group in yaml.safe_load(text(RULES))["groups"] for rule in group["rules"]]
    cases = yaml.safe_load(text(RULES_TESTED))
    assert (RULES_TESTED.parent / cases["rule_files"][0]).resolve() == RULES
    expected = str([case["promql_expr_test"] for case in cases["tests"]])
    assert [each for each in rules if f'alertname="{each}", severity=' not in expected] == []


@pytest.mark.parametrize("tool", ["caddy", "hadolint", "kubernetes-validate", "nginx", "promtool"])
def test_operations_files_are_what_their_own_tools_read(tool: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not here")
    for arguments in _readings(tool, tmp_path):
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _readings(tool: str, folder: Path) -> list[list[str]]:
    """The arguments with which a tool reads our files, or copies whose paths are within the folder."""
    certificate(folder, "switchboard.example.com")
    site, scraping = folder / "site.conf", folder / "prometheus.yml"
    named = {"/etc/ssl/switchboard.pem": "certificate.pem", "/etc/ssl/switchboard.key": "key.pem"}
    inside = text(FILES / "nginx.conf")
    for path, name in named.items():
        inside = inside.replace(path, str(folder / name))
    site.write_text(inside, encoding="utf-8")
    kept = " ".join(
        f"{each}_temp_path {folder / each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {kept} include {site}; }}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    scraped = text(FILES / "prometheus.yml").replace("/etc/prometheus/switchboard.key", str(folder / "key.pem"))
    scraping.write_text(scraped, encoding="utf-8")
    shutil.copy(RULES, folder)
    return {
        "caddy": [["validate", "--adapter", "caddyfile", "--config", str(FILES / "Caddyfile")]],
        "hadolint": [[str(DOCKERFILE)]],
        "kubernetes-validate": [["--strict", str(FILES / "kubernetes" / "switchboard.yaml")]],
        "nginx": [["-t", "-p", str(folder), "-c", str(folder / "nginx.conf")]],
        "promtool": [["check", "config", str(scraping)], ["test", "rules", str(RULES_TESTED)]],
    }[tool]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd's checker is not here")
def test_operations_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    unit = tmp_path / "switchboard.service"
    unit.write_text(text(UNIT).replace("/opt/switchboard/.venv/bin/python", sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in done.stderr.splitlines() if "switchboard" in line] == []


def test_operations_secrets_that_the_page_makes_are_taken(tmp_path: Path) -> None:
    (script,) = re.findall(r"^\( umask 077;.*?^\)$", text(PAGE), re.MULTILINE | re.DOTALL)
    (tmp_path / "docs" / "operations").mkdir(parents=True)
    subprocess.run(["sh", "-c", script], cwd=tmp_path, timeout=60, check=True)
    file = tmp_path / "docs" / "operations" / "secrets.env"
    made = dict(line.split("=", 1) for line in text(file).splitlines())
    assert file.stat().st_mode & 0o777 == 0o600
    word = made.pop("POSTGRES_PASSWORD")
    given = {name.removeprefix(PREFIX).lower(): value for name, value in made.items()}
    settings = Settings.model_validate(given)
    assert (settings.on_sqlite, word in settings.database_url) == (False, True)
    assert settings.sealer.unseal(settings.sealer.seal("hunter2")) == "hunter2"
