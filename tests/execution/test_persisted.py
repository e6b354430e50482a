"""Documents by their digests: what callers register, and what the operator trusts."""

from pathlib import Path
from typing import Any

import pytest

from app.execution.outcome import GraphQLRequest, Phase, Refused
from app.execution.persisted import Persisted, Registered, digest_of
from app.execution.trusted import add_trusted, read_trusted
from app.settings import Settings, SettingsError

A, B = "{ a }", "{ b }"


def by_digest(text: str, query: str = "", *, by_id: bool = False) -> GraphQLRequest:
    return GraphQLRequest(query, digest=digest_of(text), by_id=by_id)


def refused(persisted: Persisted, request: GraphQLRequest, caller: int = 1) -> tuple[str, Phase]:
    with pytest.raises(Refused) as error:
        persisted.resolved(request, caller)
    (entry,) = error.value.entries
    extensions: Any = entry["extensions"]
    return extensions["code"], error.value.phase


def test_document_of_a_caller_is_found_by_that_caller_alone() -> None:
    persisted = Persisted({})
    assert refused(persisted, by_digest(A)) == ("PERSISTED_QUERY_NOT_FOUND", Phase.UNREGISTERED)
    assert persisted.resolved(by_digest(A, A), 1).query == A
    found = persisted.resolved(GraphQLRequest("", "N", {"x": 1}, mutations=False, digest=digest_of(A)), 1)
    assert (found.query, found.operation_name, found.variables, found.mutations) == (A, "N", {"x": 1}, False)
    assert refused(persisted, by_digest(A), 2) == ("PERSISTED_QUERY_NOT_FOUND", Phase.UNREGISTERED)
    assert refused(persisted, by_digest(A, by_id=True)) == ("UNKNOWN_DOCUMENT", Phase.DOCUMENT)


def test_document_without_a_digest_is_not_registered() -> None:
    persisted = Persisted({})
    request = GraphQLRequest(A)
    assert persisted.resolved(request, 1) is request
    assert refused(persisted, by_digest(A))[0] == "PERSISTED_QUERY_NOT_FOUND"


def test_document_under_the_digest_of_another_is_refused() -> None:
    persisted = Persisted({digest_of(B): B})
    for digest in (A, B):
        request = GraphQLRequest("{ c }", digest=digest_of(digest))
        assert refused(persisted, request) == ("BAD_REQUEST", Phase.DOCUMENT)
    assert refused(persisted, by_digest("{ c }"))[0] == "PERSISTED_QUERY_NOT_FOUND"


def test_documents_of_a_caller_are_bounded_by_number_and_bytes() -> None:
    registered = Registered(most=3, most_bytes_of_caller=1_000)
    texts = [f"{{ a{number} }}" for number in range(5)]
    for text in texts[:3]:
        registered.put(1, digest_of(text), text)
    assert registered.get(1, digest_of(texts[0])) == texts[0]
    registered.put(1, digest_of(texts[3]), texts[3])
    # The one whose last use is longest ago has gone.
    assert [registered.get(1, digest_of(text)) is None for text in texts[:4]] == [False, True, False, False]
    before = registered.size
    registered.put(1, digest_of(texts[3]), texts[3])
    assert registered.size == before
    long = "{ " + "x" * 700 + " }"
    registered.put(1, digest_of(long), long)
    assert [registered.get(1, digest_of(text)) is None for text in (*texts[:4], long)] == [True] * 4 + [False]
    huge = "{ " + "x" * 1_000 + " }"
    registered.put(1, digest_of(huge), huge)
    assert (registered.get(1, digest_of(huge)), registered.get(1, digest_of(long))) == (None, long)


def test_documents_of_all_callers_are_bounded_and_who_is_away_gives_way() -> None:
    registered = Registered(most_bytes=1_100)
    for caller in range(5):
        registered.put(caller, digest_of(A), A)
    assert registered.size == 5 * 205
    assert registered.get(0, digest_of(A)) == A
    registered.put(5, digest_of(A), A)
    assert registered.size == 5 * 205
    assert [registered.get(caller, digest_of(A)) for caller in range(6)] == [A, None, A, A, A, A]


@pytest.mark.parametrize("by_id", [True, False])
def test_trusted_document_is_found_by_everybody(by_id: bool) -> None:
    for only in (True, False):
        persisted = Persisted({digest_of(A): A}, only_trusted=only)
        assert persisted.resolved(by_digest(A, by_id=by_id), 7).query == A
        assert persisted.resolved(GraphQLRequest(A), 7).query == A


def test_trusted_documents_can_be_the_only_ones() -> None:
    registered = Registered()
    persisted = Persisted({digest_of(A): A}, only_trusted=True, registered=registered)
    not_trusted = ("DOCUMENT_NOT_TRUSTED", Phase.DOCUMENT)
    for request in (GraphQLRequest(B), by_digest(B, B), by_digest(B), GraphQLRequest(A + " ")):
        assert refused(persisted, request) == not_trusted
    assert refused(persisted, by_digest(B, by_id=True)) == ("UNKNOWN_DOCUMENT", Phase.DOCUMENT)
    assert registered.size == 0


# ---- the folder ----


def test_folder_holds_documents_by_the_digest_of_their_bytes(tmp_path: Path) -> None:
    text = "# Ü\r\n{ a }\n"
    digest = add_trusted(tmp_path / "new", text)
    assert (tmp_path / "new" / f"{digest}.graphql").read_bytes() == text.encode()
    (tmp_path / "new" / "by hand.graphql").write_bytes(B.encode())
    (tmp_path / "new" / "notes.txt").write_text("not one")
    found = read_trusted(Settings(documents_folder=str(tmp_path / "new")))
    assert found == {digest: text, digest_of(B): B}
    assert read_trusted(Settings()) == {}


def test_folder_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    def says(**settings: object) -> str:
        with pytest.raises(SettingsError) as error:
            read_trusted(Settings(**settings))  # type: ignore[arg-type]
        return str(error.value)

    assert says(documents_only=True) == "SWITCHBOARD_DOCUMENTS_ONLY needs SWITCHBOARD_DOCUMENTS_FOLDER."
    assert "there is no folder" in says(documents_folder=str(tmp_path / "none"))
    (tmp_path / "a.graphql").write_bytes(b"\xff")
    assert "a.graphql cannot be read" in says(documents_folder=str(tmp_path))
    (tmp_path / "a.graphql").write_bytes(b"x" * 101)
    assert "a.graphql has more than 100 bytes." in says(documents_folder=str(tmp_path), max_document_bytes=100)
