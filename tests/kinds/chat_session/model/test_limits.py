import pytest

from app.core.errors import DomainError, InvalidInput, TooLong
from app.kinds.chat_session.model.limits import LENGTHS, check_reference, check_session, check_topic


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("customer_alias", 64),
        ("customer_host", 255),
        ("customer_name", 255),
        ("customer_email", 255),
        ("customer_company_name", 255),
        ("customer_phone", 32),
    ],
)
def test_a_text_has_its_contracts_length(name: str, limit: int) -> None:
    check_session({name: "å" * limit})
    check_session({name: None})
    with pytest.raises(TooLong) as refused:
        check_session({name: "å" * (limit + 1)})
    assert refused.value.path == (name,)
    with pytest.raises(InvalidInput) as refused_nul:
        check_session({name: "a\0"})
    assert refused_nul.value.path == (name,)


def test_no_text_is_without_a_limit() -> None:
    assert len(LENGTHS) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alert_level", -1),
        ("alert_level", None),
        ("alert_level", 2**31),
        ("rating", 2**31),
        ("rating", True),
        ("status", None),
        ("topic_id", None),
    ],
)
def test_a_number_is_an_int32_and_what_every_chat_has_cannot_be_cleared(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_session({name: value})
    assert refused.value.path == (name,)


def test_numbers_of_the_contracts_page() -> None:
    check_session({"alert_level": 504, "rating": 751})
    check_session({"alert_level": 0, "rating": None})


def test_a_reference_is_kept_in_the_contracts_order() -> None:
    given = {"contact_id": 3, "full_name": "Ola Nordmann", "person_id": 7, "email": None}
    kept = check_reference("person", given)
    assert kept is not None
    assert list(kept.items()) == [("person_id", 7), ("full_name", "Ola Nordmann"), ("contact_id", 3)]
    assert check_reference("sale", {"sale_id": 1, "amount": 12.5, "currency": "NOK", "title": "S"}) == {
        "sale_id": 1,
        "title": "S",
        "amount": 12.5,
        "currency": "NOK",
    }


def test_an_empty_reference_is_none() -> None:
    assert check_reference("person", None) is None
    assert check_reference("person", {"person_id": -1}) is None


@pytest.mark.parametrize(
    ("name", "value", "error", "path"),
    [
        ("contact", {"name": "A"}, InvalidInput, ("contact", "contact_id")),
        ("contact", {"contact_id": 1, "name": "a" * 256}, TooLong, ("contact", "name")),
        ("contact", {"contact_id": "1"}, InvalidInput, ("contact", "contact_id")),
        ("project", {"project_id": 1, "colour": "red"}, InvalidInput, ("project", "colour")),
        ("sale", {"sale_id": 1, "amount": "12"}, InvalidInput, ("sale", "amount")),
        ("ticket", {"ticket_id": 1, "base_status": 4}, InvalidInput, ("ticket", "base_status")),
    ],
)
def test_a_reference_that_cannot_be_kept(
    name: str, value: dict[str, object], error: type[DomainError], path: tuple[str, ...]
) -> None:
    with pytest.raises(error) as refused:
        check_reference(name, value)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"name": " "}, InvalidInput, ("name",)),
        ({"name": None}, InvalidInput, ("name",)),
        ({"name": "a" * 256}, TooLong, ("name",)),
        ({"welcome_message": "a" * 1025}, TooLong, ("welcome_message",)),
        ({"language": "a" * 33}, TooLong, ("language",)),
        ({"topic_id": 0}, InvalidInput, ("topic_id",)),
        ({"ticket_category_id": 0}, InvalidInput, ("ticket_category_id",)),
        (
            {"opening_hours": [{"day": "MONDAY", "opens": "8:00", "closes": "16:00"}]},
            InvalidInput,
            ("opening_hours", 0, "opens"),
        ),
        (
            {"opening_hours": [{"day": "MONDAY", "opens": "08:00", "closes": "08:00"}]},
            InvalidInput,
            ("opening_hours", 0, "closes"),
        ),
    ],
)
def test_what_a_topic_refuses(
    changes: dict[str, object], error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(error) as refused:
        check_topic(changes)
    assert refused.value.path == path


def test_what_a_topic_takes() -> None:
    check_topic({"description": None, "opening_hours": [{"day": "MONDAY", "opens": "00:00", "closes": "24:00"}]})
