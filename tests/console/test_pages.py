"""The console as a browser is served it: its files, what binds them, and its catalogue of texts."""

import re
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.console import pages
from app.core.issuers import Issuer
from app.core.vapid import Vapid, new_private_key, private_key_of
from app.http.pages.site import Site, edition_of
from app.schema import build_schema

FILES = sorted(path for path in pages.STATIC.rglob("*") if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
CATALOGUE = pages.STATIC / "view" / "texts.js"
CATALOGUES = (
    CATALOGUE,
    *(CATALOGUE.with_name(f"{name}.js") for name in ("topics", "admin-texts", "admin-values", "reports-texts")),
)
DOCUMENTS = ("documents.js", "administration.js", "access.js")
ENTRY = re.compile(r'^  (?:"([\w.]+)"|(\w+)): (\[.*\]),$')
MARKUP = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "srcdoc", "eval(", "Function(")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(Starlette(routes=[*Site(tmp_path, []).routes, *pages.routes()]))


def name_of(path: Path) -> str:
    return path.relative_to(pages.STATIC).as_posix()


def texts() -> dict[str, list[str]]:
    """The texts of the catalogue by name, read line by line."""
    found: dict[str, list[str]] = {}
    inside = False
    lines = [line for path in CATALOGUES for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        inside = inside or re.fullmatch(r"export const (\w+_)?(TEXTS|VALUES) = \{", line) is not None
        if inside and line.startswith("  ") and not line.startswith(("  //", "  ...")):
            entry = ENTRY.match(line)
            assert entry is not None, line
            name = entry[1] or entry[2]
            assert name not in found, f"{name} is there twice"
            found[name] = orjson.loads(entry[3])
    return found


def languages() -> list[str]:
    declared = re.search(r"export const LANGUAGES = \{(.*)\};", CATALOGUE.read_text(encoding="utf-8"))
    assert declared is not None
    return re.findall(r"(\w+):", declared[1])


def test_console_page_is_bound_to_this_server_and_to_elements(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "service-worker")
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_console_makes_one_policy_of_trusted_types_which_is_for_its_worker() -> None:
    """So that no text of anybody becomes the address of a script."""
    made = [path for path in MODULES if "trustedTypes" in path.read_text(encoding="utf-8")]
    assert [name_of(path) for path in made] == ["models/push.js"]
    (policy,) = re.findall(r"trustedTypes\?\.createPolicy\((.*)\);", made[0].read_text(encoding="utf-8"))
    assert policy == '"service-worker", { createScriptURL: () => WORKER }'


def test_console_worker_asks_nobody_and_controls_every_page(client: TestClient) -> None:
    answer = client.get("/alerts.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert answer.headers["cache-control"] == "no-cache"
    assert re.findall(r"\b(?:fetch|importScripts|import|caches|WebSocket)\b", answer.text) == []
    assert not any(sign in answer.text for sign in MARKUP)


def test_console_page_names_the_key_by_which_browsers_subscribe(client: TestClient) -> None:
    assert '<meta name="push-key" content="" />' in client.get("/").text
    vapid = Vapid(private_key_of(new_private_key()), "mailto:desk@example.com")
    page = TestClient(Starlette(routes=pages.routes([], vapid))).get("/").text
    assert f'<meta name="push-key" content="{vapid.public_text}" />' in page


def test_console_page_names_its_edition_which_changes_with_the_page_and_its_files(tmp_path: Path) -> None:
    def edition(**given: object) -> str:
        page = TestClient(Starlette(routes=pages.routes(**given))).get("/wall").text  # type: ignore[arg-type]
        (found,) = re.findall(r'<meta name="edition" content="(\w+)" />', page)
        return str(found)

    vapid = Vapid(private_key_of(new_private_key()), "mailto:desk@example.com")
    assert edition() == edition() != edition(vapid=vapid)
    (tmp_path / "a.js").write_text("1")
    first = edition_of("x", tmp_path)
    assert edition_of("x", tmp_path) == first != edition_of("y", tmp_path)
    (tmp_path / "a.js").write_text("2")
    second = edition_of("x", tmp_path)
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({first, second, edition_of("x", tmp_path), edition_of("x", tmp_path / "b.js")}) == 4


@pytest.mark.parametrize("path", ["/wall", "/admin", "/reports"])
def test_console_wallboard_and_administration_are_the_same_page(client: TestClient, path: str) -> None:
    console, other = client.get("/"), client.get(path)
    assert (other.content, other.headers["content-security-policy"]) == (
        console.content,
        console.headers["content-security-policy"],
    )


def test_console_page_asks_the_providers_that_know_it(tmp_path: Path) -> None:
    provider = Issuer(issuer="https://login.example.com/realm", audiences=("a",), client_id="</script>")
    page = TestClient(Starlette(routes=pages.routes([provider]))).get("/wall")
    assert "connect-src 'self' https://login.example.com;" in page.headers["content-security-policy"]
    assert page.text.count("</script>") == 2


def test_console_page_has_no_script_and_no_style_of_its_own(client: TestClient) -> None:
    body = client.get("/").text
    assert re.findall(r"<script(?![^>]* src=)[^>]*>", body) == ['<script type="application/json" id="providers">']
    assert "<style" not in body
    assert re.findall(r"\son\w+=|\sstyle=", body) == []


def test_console_serves_every_file_that_it_has_and_that_it_names(client: TestClient) -> None:
    assert len(MODULES) > 15
    for path in FILES:
        answer = client.get(f"/assets/console/{name_of(path)}")
        assert (answer.status_code, answer.content) == (200, path.read_bytes()), path
    named = re.findall(r'(?:src|href)="(/assets[^"]*)"', client.get("/").text)
    assert len(named) == 7
    for path in MODULES:
        for imported in re.findall(r'from "(\.[^"]*)"', path.read_text(encoding="utf-8")):
            named.append(str(client.base_url.join(f"/assets/console/{name_of(path)}").join(imported)))
    for address in named:
        assert client.get(address).status_code == 200, address


def test_console_every_module_is_reached_from_the_first() -> None:
    reached, waiting = set(), [pages.STATIC / "main.js"]
    while waiting:
        path = waiting.pop()
        if path in reached or not path.is_relative_to(pages.STATIC):
            continue
        reached.add(path)
        imported = re.findall(r'from "(\.[^"]*)"', path.read_text(encoding="utf-8"))
        waiting += [(path.parent / name).resolve() for name in imported]
    assert reached == {path.resolve() for path in MODULES}


@pytest.mark.parametrize("path", [*FILES, pages.STATIC.parent / "console.html"], ids=lambda path: path.name)
def test_console_file_names_no_other_host_and_makes_no_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"\w+://[\w.]+|[\"'(]//\w", text) == []
    assert [word for word in MARKUP if word in text] == []
    assert "url(" not in text
    assert text.count("\n") <= 300


def test_console_catalogue_has_every_text_in_each_language() -> None:
    assert languages() == ["en", "de", "es"]
    for name, said in texts().items():
        assert len(said) == len(languages()), name
        assert all(text.strip() == text and text for text in said), name
        places = [sorted(set(re.findall(r"\{\w+\}", text))) for text in said]
        assert places[0] == places[1] == places[2], name


def test_console_catalogue_has_what_is_said_and_nothing_else() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path not in CATALOGUES)
    named = texts()
    for name in re.findall(r'\bsay\("([\w.]+)"', code):
        assert name in named
    groups = set(re.findall(r"""\b(?:sayValue\("|say\(`)(\w+)[".]""", code))
    # Looked for at once, and not name by name, which took seconds; ahead, so that none hides the one that overlaps it.
    said = {*re.findall(r'(?="([\w.]+)")', code), *re.findall(r"\b(?=([\w.]+):)", code)}
    for name in named:
        assert name in said or name.split(".")[0] in groups, f"nobody says {name}"


@pytest.mark.parametrize(
    ("group", "enum", "is_whole"),
    [
        ("level", "AttentionLevel", True),
        ("state", "InteractionState", True),
        ("status", "MessageStatus", True),
        ("kind", "InteractionKind", False),
        ("reason", "AttentionReason", False),
        ("author", "MessageAuthor", False),
        ("block", "ReplyBlock", False),
        ("channel", "Channel", False),
        ("topic", "EventTopic", False),
        ("refused", "ErrorCode", False),
        ("permission", "Permission", False),
        ("weekday", "Weekday", True),
        ("initial", "ChatTopicInitialStatus", True),
        ("system", "ConnectionSystem", False),
        ("connectionState", "ConnectionState", False),
        ("connectionError", "ConnectionErrorCode", False),
        ("connectionAction", "ConnectionAction", False),
        ("entryState", "EntryState", True),
        ("destinationType", "DestinationType", False),
        ("destinationState", "DestinationState", True),
        ("destinationReason", "DestinationReason", False),
        ("deliveryStatus", "DeliveryStatus", True),
        ("settingSource", "SettingSource", True),
        ("grantSource", "GrantSource", True),
        ("credential", "Credential", True),
        ("transport", "Transport", True),
    ],
)
def test_console_catalogue_names_values_that_the_graph_has(group: str, enum: str, is_whole: bool) -> None:
    values = set(build_schema().type_map[enum].values)  # type: ignore[attr-defined]
    named = {name.removeprefix(f"{group}.") for name in texts() if name.startswith(f"{group}.")}
    # What the page says of itself, beside what the graph refuses.
    named -= {"ALREADY_CLAIMED_UNTIL"}
    assert named
    assert named <= values
    if is_whole:
        assert named == values


def test_console_documents_are_read_from_the_catalogue_of_operations_alone() -> None:
    for path in MODULES:
        if path.name not in DOCUMENTS:
            assert (
                re.findall(r"(?:query|mutation|subscription|fragment) \w+ ?[({]", path.read_text(encoding="utf-8"))
                == []
            )
