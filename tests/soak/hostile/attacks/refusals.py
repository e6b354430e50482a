"""Requests of every kind that is refused, one after the other."""

from itertools import cycle, repeat

from tests.soak.hostile.target import Hostile, Target
from tests.soak.hostile.wire import command, post, request

_LIST = """query($filter: InteractionFilter, $after: String) {
  interactions(first: 1, after: $after, filter: $filter) { nodes { id } } }"""


async def refusals(to: Hostile) -> None:
    """Requests of every kind that is refused, small and large, in turn."""
    made = _refused(to.target)
    await to.flood(lambda number: made[number % len(made)], lines=8)


def _refused(of: Target) -> list[bytes]:
    key = of.able
    numbers = cycle(range(10))
    members = ",".join(f'"u{number}":{next(numbers)}' for number in range(3_000))
    ids = ",".join(f'"ses_{number}"' for number in range(60_000))
    note, keys = command("addNote", "AddNoteInput"), command("createApiKey", "CreateApiKeyInput")
    return [
        # Who is asking.
        post("{ viewer { user { id } } }"),
        post("{ viewer { user { id } } }", key="x" * 500),
        request("GET", "/v1/customers/1", key="no"),
        post(keys, {"input": {"name": "x"}}, key=of.nobody),
        # What HTTP it is.
        request("PUT", "/graphql", b"{}", key=key),
        request("GET", "/nowhere/at/all", key=key),
        request("POST", "/graphql", b"{" * 50_000, key=key),
        request("POST", "/graphql", b"\xff\xfe" * 10_000, key=key),
        request("POST", "/graphql", b"[]", key=key),
        request("POST", "/graphql", b"{}", key=key, more={"content-type": "text/plain"}),
        request("POST", "/graphql", b"x" * 1_100_000, key=key),
        post("{ viewer { user { id } } }", key=key, accept="image/png"),
        # What document.
        post("{", key=key),
        post("{ " + "nothing " * 2_000 + "}", key=key),
        post("{ viewer { user { name: id name } } }", key=key),
        post("{ " + "a" * 70_000 + " }", key=key),
        post("query($x: Nothing) { viewer { user { id } } }", key=key),
        post(
            "{ interactions(first: 100) { nodes { messages(first: 100) { nodes { id } } } } " * 30 + "}" * 30, key=key
        ),
        post(
            "{ a: interactions(first: 100) { nodes { messages(first: 100) { nodes { text author id } } } } }", key=key
        ),
        # What variables.
        post(_LIST, f'{{"filter":{{{members}}}}}'.encode(), key=key),
        post(_LIST, b'{"filter":{"kinds":[' + b",".join(repeat(b'"X"', 20_000)) + b"]}}", key=key),
        post(_LIST, b'{"filter":{"labels":[' + b",".join(repeat(b"[]", 20_000)) + b"]}}", key=key),
        post(_LIST, {"after": "A" * 900_000}, key=key),
        post(_LIST, {"after": "AQ"}, key=key),
        post("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", f'{{"ids":[{ids}]}}'.encode(), key=key),
        # What is asked to be done.
        post(note, {"input": {"id": of.refs[0], "text": ""}}, key=key),
        post(note, {"input": {"id": of.refs[0], "text": "x" * 900_000}}, key=key),
        post(note, {"input": {"id": "ses_999999999", "text": "x"}}, key=key),
        post(note, {"input": {"id": "x" * 800_000, "text": "x"}}, key=key),
        # What the contracts are asked.
        request("GET", "/third-party/v1/conversations?page=-1&per_page=x", key=key),
        request("GET", "/v2/agents?page_key=" + "A" * 8_000, key=key),
        request("GET", "/api/v1/ChatSession?$filter=" + "(" * 8_000, key=key),
        request("PATCH", "/api/v1/ChatSession/1", b'[{"op":"replace"}]' * 3, key=key),
        request("POST", "/v1/customers", b'{"phone_number":"' + b"9" * 500_000 + b'"}', key=key),
        request("POST", "/oauth2/token", b"client_id=a&client_secret=b", more={"content-type": "text/plain"}),
    ]
