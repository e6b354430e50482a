import pytest

from app.execution.documents import Documents
from app.execution.guard import Guard
from app.execution.limits import Limits
from app.execution.outcome import Phase, Refused
from app.schema import build_schema
from tests.kit.library import SLICES


def documents(limits: Limits, *, suggestions: bool = True) -> Documents:
    schema = build_schema(SLICES)
    return Documents(schema, Guard(schema, limits), suggestions=suggestions)


@pytest.mark.parametrize(
    ("limits", "text", "message"),
    [
        (Limits(document_bytes=20), "{ __typename } # \u00e9\u00e9", "The document has 21 bytes; the limit is 20."),
        (Limits(tokens=4), "{ a b c d }", "The document has too many tokens; the limit is 4."),
        (Limits(tokens=4), "#\n" * 5 + "{ a }", "The document has too many tokens; the limit is 4."),
    ],
)
def test_a_long_document_is_not_parsed(limits: Limits, text: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        documents(limits).read(text)
    assert caught.value.phase is Phase.VALIDATION
    assert caught.value.entries == [{"message": message, "extensions": {"code": "TOO_COMPLEX"}}]


def test_suggestions_can_be_left_out() -> None:
    with pytest.raises(Refused) as caught:
        documents(Limits(), suggestions=False).read("{ bok { id } }")
    assert [entry["message"] for entry in caught.value.entries] == ["Cannot query field 'bok' on type 'Query'."]


@pytest.mark.parametrize(
    "text", ["{ bok { id } authrs { totalCount } }", "{ ...on Boook { id } }", "query ($a: Strng) { f(a: $a) }"]
)
def test_suggestions_are_made_for_a_lone_field_or_argument(text: str) -> None:
    with pytest.raises(Refused) as caught:
        documents(Limits()).read(text)
    assert not any("Did you mean" in str(entry["message"]) for entry in caught.value.entries)
    with pytest.raises(Refused) as caught:
        documents(Limits()).read("{ books(frst: 1) { totalCount } }")
    assert [entry["message"] for entry in caught.value.entries] == [
        "Unknown argument 'frst' on field 'Query.books'. Did you mean 'first' or 'last'?"
    ]


def test_errors_are_counted_up_to_twenty() -> None:
    with pytest.raises(Refused) as caught:
        documents(Limits()).read("{ " + " ".join(f"x{i}" for i in range(40)) + " }")
    assert len(caught.value.entries) == 21
    assert caught.value.entries[-1]["message"] == "Too many validation errors, error limit reached. Validation aborted."


def test_null_is_not_written_for_what_may_only_be_left_out() -> None:
    update = 'mutation { updateBook(input: {id: "boo_1", title: null, note: null}) { __typename } }'
    with pytest.raises(Refused) as caught:
        documents(Limits()).read(update)
    text = "Field 'UpdateBookInput.title': This may be left out, but it cannot be null."
    assert [entry["message"] for entry in caught.value.entries] == [text]
