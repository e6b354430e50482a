"""What people are found by, tried on plain rows."""

from app.core.telephone import number_entries, number_terms
from app.core.text import entries, search_terms, terms
from tests.graph.state import Row


def _searchable(row: Row) -> list[str]:
    match row["__typename"]:
        case "User":
            texts = [row["name"], row["full_name"], row["login"]]
        case "Profile":
            texts = [row["name"], row["email"]]
        case _:
            texts = [
                *(row[each] for each in ("name", "first_name", "last_name", "company_name", "email", "customer_key")),
                *(row["display_id"], *row["tags"]),
            ]
    numbers = [row[each] for each in ("phone_number", "unconfirmed_phone_number") if row.get(each)]
    if row.get("channel") == "WHATSAPP" and (row["display_id"] or "").isdecimal():
        numbers.append(f"+{row['display_id']}")
    found = [entry for text in texts if text for entry in entries(text)]
    return (
        [f"{word} " for word in found] + [each for number in numbers for each in number_entries(number, None)] + [" "]
    )


def found_by(row: Row, search: str | None) -> bool:
    """Whether a search of users, customers or profiles finds the row; without a search all are found."""
    if search is None:
        return True
    found = _searchable(row)
    if (numbers := number_terms(search)) is not None:
        return any(entry.startswith(term) for entry in found for term in numbers)
    return all(any(entry.startswith(term) for entry in found) for term in search_terms(search))


def meets(text: str | None, wanted: list[str]) -> bool:
    """Whether the entries of a text meet all terms."""
    said = [f"{entry} " for entry in entries(text or "")]
    return all(any(entry.startswith(term) for entry in said) for term in wanted)


def finds_customer(row: Row, text: str) -> bool:
    """Whether a search for interactions finds those of the customer."""
    numbers = number_terms(text)
    if numbers is None:
        return found_by(row, text)
    if sum(map(str.isdecimal, text)) >= 4:
        return any(entry.startswith(term) for entry in _searchable(row) for term in numbers)
    return f"{numbers[0]} " in _searchable(row)


def finds_message(row: Row, text: str) -> bool:
    """Whether a search for interactions finds that of the message: a word of one or two letters is a whole one."""
    wanted = [f"{term} " if term.isascii() and len(term) < 3 and term[-1] != " " else term for term in terms(text)]
    return meets(row["text"], wanted)
