"""Pages and their files, as a browser is served them."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.core.issuers import Issuer
from app.http.pages import build
from app.http.pages.site import Site

CONTRACTS = [("chat_session", "/api/v1")]


def client(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=Site(folder, CONTRACTS).routes))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder with a build of empty files."""
    (tmp_path / build.VERSION).mkdir()
    for name in build._FILES.values():
        (tmp_path / build.VERSION / name).touch()
    return tmp_path


def files_of(page: bytes) -> list[str]:
    return re.findall(r'(?:src|href|data-script|data-workers)="(/[^"]*)"', page.decode())


@pytest.mark.parametrize("with_build", [False, True])
def test_site_serves_every_file_that_its_page_names(tmp_path: Path, built: Path, with_build: bool) -> None:
    folder = built if with_build else tmp_path / "nothing"
    page = Site(folder, CONTRACTS).graphql
    named = [name for name in files_of(page.body) if name.endswith((".js", ".css"))]
    assert len(named) == (4 if with_build else 2)
    for name in named:
        assert client(folder).get(name).status_code == 200, name
    assert b"://" not in page.body.split(b'<script type="application/json"')[0]


def test_site_page_is_the_explorer_until_there_is_a_build(tmp_path: Path, built: Path) -> None:
    assert b"Explorer" in Site(tmp_path / "nothing", CONTRACTS).graphql.body
    assert b"GraphiQL" in Site(built, CONTRACTS).graphql.body


def test_site_index_links_to_each_contract(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/about")
    assert answer.status_code == 200
    assert files_of(answer.content) == [
        "/assets/pages/index.css",
        "/",
        "/wall",
        "/reports",
        "/admin",
        "/graphql",
        "/api/v1/openapi.json",
        "/healthz",
        "/readyz",
    ]


def test_site_pages_let_nothing_in_from_elsewhere(tmp_path: Path) -> None:
    headers = dict(Site(tmp_path, CONTRACTS).graphql.headers)
    policy = dict(part.split(" ", 1) for part in headers[b"content-security-policy"].decode().split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["connect-src"], policy["frame-ancestors"]) == ("'self'", "'self'", "'none'")
    assert headers[b"cache-control"] == b"no-store"


def issuer(**more: Any) -> Issuer:
    return Issuer.model_validate({"issuer": "https://login.example.com/realm", "audiences": ["a"], **more})


def providers_in(page: bytes) -> Any:
    found = re.search(rb'id="providers">(.*)</script>', page)
    assert found is not None
    return orjson.loads(found[1])


@pytest.mark.parametrize("with_build", [False, True])
def test_site_page_asks_the_providers_that_know_it_and_no_other(tmp_path: Path, built: Path, with_build: bool) -> None:
    known = issuer(
        client_id="pages",
        page_origins=["https://token.example.com:443/x"],
        authorization_parameters={"audience": "</script>"},
        groups={"secret-group": {}},
    )
    other = issuer(issuer="https://other.example.com")
    page = Site(built if with_build else tmp_path / "nothing", CONTRACTS, [known, other]).graphql
    policy = dict(part.split(" ", 1) for part in dict(page.headers)[b"content-security-policy"].decode().split("; "))
    assert policy["connect-src"] == "'self' https://login.example.com https://token.example.com"
    assert {name for name, value in policy.items() if "example.com" in value} == {"connect-src"}
    assert providers_in(page.body) == [
        {
            "issuer": "https://login.example.com/realm",
            "clientId": "pages",
            "scopes": "openid profile email",
            "parameters": {"audience": "</script>"},
        }
    ]
    assert b"secret-group" not in page.body
    assert page.body.count(b"</script>") == 3


def test_site_page_without_a_provider_takes_a_key(tmp_path: Path) -> None:
    page = Site(tmp_path, CONTRACTS, [issuer()]).graphql
    assert providers_in(page.body) == []
    policy = dict(page.headers)[b"content-security-policy"].decode()
    assert "connect-src 'self';" in policy
