"""The page that browsers get at /graphql: GraphiQL with example operations."""

import re
from dataclasses import asdict, dataclass
from importlib.resources import files

import orjson

_ASSETS = re.compile(
    r'<(?:script\s+crossorigin\s+src="[^"]*/(?:react|react-dom|graphiql|@graphiql/plugin-explorer)@[^"]*"'
    r'\s+integrity="[^"]*"\s*>\s*</script>'
    r'|link\s+crossorigin\s+rel="stylesheet"\s+href="[^"]*"\s+integrity="[^"]*"\s*/>)'
)


@dataclass(frozen=True, slots=True)
class Example:
    """A tab of the page."""

    query: str
    variables: str = ""


EXAMPLES: tuple[Example, ...] = (
    Example(
        """# The inbox: the latest interactions of all four systems, each with its newest messages.
query Inbox($first: Int = 20, $after: String) {
  interactions(first: $first, after: $after) {
    edges {
      node {
        __typename
        id
        state
        customer { id name }
        assignee { id name }
        attention { needed level reason waitingSeconds }
        messages(last: 5) { edges { node { id createdAt } } }
      }
    }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}
"""
    ),
    Example(
        """# One person across four systems.
query Person($id: ID!) {
  profile(id: $id) {
    id
    interactions(first: 20) {
      edges { node { __typename id kind state lastMessageAt } }
    }
  }
}
""",
        '{ "id": "prf_1" }',
    ),
    Example(
        """# Who needs a human now, the most urgent first. Subscribe from `cursor` to miss nothing.
query Queue {
  attentionQueue(first: 20) {
    cursor
    totalCount
    edges {
      node {
        __typename
        id
        attention { level reason reasons since claimedBy { name } claimedUntil }
        viewerCan { claim reply }
      }
    }
  }
}
"""
    ),
    Example(
        """# A bot asks for help.
mutation AskForHelp($input: UpdateSessionInput!) {
  updateSession(input: $input) {
    session { id needAttention tags botActive attention { needed reason level } }
    errors { __typename code message path }
  }
}
""",
        '{ "input": { "id": "ses_1", "needAttention": true } }',
    ),
    Example(
        """# Take an interaction; only one user can.
mutation Claim($input: ClaimInteractionInput!) {
  claimInteraction(input: $input) {
    interaction { id assignee { id name } }
    errors {
      code
      message
      ... on AlreadyClaimedError { claimedBy { name } claimedUntil }
    }
  }
}
""",
        '{ "input": { "id": "ses_1" } }',
    ),
    Example(
        """# Answer the customer.
mutation Reply($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id createdAt }
    errors { code message path }
  }
}
""",
        '{ "input": { "id": "ses_1", "text": "Hello, how can I help?" } }',
    ),
)


def page() -> bytes:
    """The page, with the assets that Strawberry's own page names, pinned by their digests."""
    original = files("strawberry").joinpath("static", "graphiql.html").read_text(encoding="utf-8")
    template = files("app.transport").joinpath("graphiql.html").read_text(encoding="utf-8")
    tabs = orjson.dumps([asdict(example) for example in EXAMPLES]).decode().replace("<", "\\u003c")
    return (
        template.replace("<!-- assets -->", "\n".join(_ASSETS.findall(original))).replace("[/* tabs */]", tabs).encode()
    )


PAGE = page()
