"""Attacks by what is read."""

from itertools import product

from tests.soak.hostile.target import Hostile
from tests.soak.hostile.wire import post, request

_WORDS = ("order", "a", "the", "m", "where", "you", "s", "is", "to", "de")
_NEVER = '{before: "2001-01-01T00:00:00Z"}'


async def counted_searches(to: Hostile) -> None:
    """Four queries at once, each with 50 searches that are counted."""
    fields = " ".join(
        f's{number}: searchMessages(text: "{word}", first: 1) {{ totalCount }}'
        for number, word in zip(range(50), _WORDS * 5, strict=True)
    )
    same = post(f"{{ {fields} }}", key=to.target.able)
    await to.flood(lambda _: same, lines=4)


async def counted_edges(to: Hostile) -> None:
    """Four queries at once, each with 190 counted lists inside every one of 100 interactions."""
    fields = " ".join(f"m{number}: messages(first: 1) {{ totalCount }}" for number in range(190))
    same = post(f"{{ interactions(first: 100) {{ nodes {{ {fields} }} }} }}", key=to.target.able)
    await to.flood(lambda _: same, lines=4)


async def counted_lists(to: Hostile) -> None:
    """Four queries at once, each with 50 lists that are counted, by filters that no index answers."""
    fields = " ".join(
        f"l{number}: interactions(first: 1, filter: {{botActive: {active}, latestMessageAt: {_NEVER}}})"
        " { totalCount }"
        for number, active in zip(range(50), ("true", "false") * 25, strict=True)
    )
    same = post(f"{{ {fields} }}", key=to.target.able)
    await to.flood(lambda _: same, lines=4)


async def rare_filters(to: Hostile) -> None:
    """Lists by a filter that next to nothing passes, so that everything is looked at."""
    given = f"{{botActive: true, latestMessageAt: {_NEVER}}}"
    fields = " ".join(
        f"l{number}: interactions(first: 100, filter: {given}) {{ nodes {{ id }} }}" for number in range(20)
    )
    same = post(f"{{ {fields} }}", key=to.target.able)
    await to.flood(lambda _: same, lines=8)


async def one_letter_searches(to: Hostile) -> None:
    """Searches of customers, profiles and messages by one letter."""
    letters = "abcdefghijklmnopqrstuvwxyz"

    def make(number: int) -> bytes:
        letter = letters[number % len(letters)]
        return post(
            f'{{ customers(search: "{letter}", first: 100) {{ nodes {{ id name }} totalCount }} '
            f'profiles(search: "{letter}", first: 100) {{ nodes {{ id }} totalCount }} '
            f'searchMessages(text: "{letter} {letter}", first: 100) {{ nodes {{ id text }} totalCount }} }}',
            key=to.target.able,
        )

    await to.flood(make, lines=8)


async def deep_pages(to: Hostile) -> None:
    """The last pages of the contracts' lists, by offset."""
    paths = (
        "/api/v1/ChatSession?$top=1000&$skip=20000",
        "/api/v1/ChatSession?$top=1000&$skip=1000000000",
        "/third-party/v1/conversations?per_page=500&page=45",
        "/third-party/v1/customers?per_page=500&page=40",
    )
    made = [request("GET", path, key=to.target.able) for path in paths]
    await to.flood(lambda number: made[number % len(made)], lines=8)


async def contained_texts(to: Hostile) -> None:
    """OData filters by texts that are contained nowhere."""
    columns = ("firstMessage", "lastMessage", "person/fullName", "chatTopic/description")
    made = [
        request("GET", f"/api/v1/ChatSession?$filter=contains({column},%27{text}%27)&$top=1000", key=to.target.able)
        for column, text in product(columns, ("zzzz", "qqqq", "a"))
    ]
    await to.flood(lambda number: made[number % len(made)], lines=8)


async def large_pages(to: Hostile) -> None:
    """Lists near the limit of cost: 100 interactions with 90 messages each."""
    inner = "messages(first: 90) { nodes { id text author sentAt status } }"
    same = post(f"{{ interactions(first: 100) {{ nodes {{ id {inner} }} }} }}", key=to.target.able)
    await to.flood(lambda _: same, lines=4)
