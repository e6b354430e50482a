"""The example operations that the pages open with."""

from dataclasses import dataclass


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
    totalCount
    nodes {
      __typename
      id
      state
      customer { name }
      assignee { name }
      attention { needed level reason waitingSeconds }
      messages(last: 5) {
        nodes { sentAt author text }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    ),
    Example(
        """# One person across four systems, with what only one of them knows.
query Person($id: ID!) {
  profile(id: $id) {
    name
    interactions(first: 20) {
      nodes {
        id
        kind
        latestMessageAt
        ... on Session { needAttention tags topics }
        ... on AgentSession { name metadata }
        ... on ChatSession { chatStatus: status customerName rating }
        ... on Conversation { status channel replyPossible replyUntil }
      }
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
    nodes {
      id
      kind
      customer { name }
      attention { level reason reasons since claimedBy { name } claimedUntil }
      viewerCan { claim reply }
    }
  }
}
"""
    ),
    Example(
        """# What a customer, a key or words of a message find: try a name, a telephone number, a conversationId.
query Search($text: String!) {
  searchInteractions(text: $text, first: 20) {
    nodes { id kind state latestMessageAt customer { name phoneNumber } latestMessage { text } }
    pageInfo { hasNextPage endCursor }
  }
}
""",
        '{ "text": "order" }',
    ),
    Example(
        """# The numbers beside a list: for its filter, by several groupings at once.
query Sidebar($filter: InteractionFilter) {
  interactionCounts(filter: $filter, groupBy: [KIND, STATUS, CHAT_TOPIC, ASSIGNEE, LABEL]) {
    count
    countIsCapped
    groupings {
      by
      groups {
        value
        count
        unreadCount
        attentionCount
        node { ... on User { name } ... on ChatTopic { name } }
      }
    }
  }
}
""",
        '{ "filter": { "states": ["OPEN"] } }',
    ),
    Example(
        """# Alerts as they come: leave this running, and send the next tab's mutation from another window.
subscription Alerts($after: String) {
  attentionChanged(after: $after) {
    cursor
    change
    reasonAfter
    interaction {
      id
      kind
      customer { name }
      attention { level reason since }
    }
  }
}
"""
    ),
    Example(
        """# A bot asks for help: the bot is paused, and the Session comes into the queue.
mutation AskForHelp($input: UpdateSessionInput!) {
  updateSession(input: $input) {
    session { id needAttention tags botActive attention { needed reason level } }
    errors { code message path }
  }
}
""",
        '{ "input": { "id": "ses_33", "needAttention": true, "tags": ["refund"] } }',
    ),
    Example(
        """# Take an interaction; only one user can.
mutation Claim($input: ClaimInteractionInput!) {
  claimInteraction(input: $input) {
    interaction { id assignee { name } }
    errors {
      code
      message
      ... on AlreadyClaimedError { claimedBy { name } claimedUntil }
    }
  }
}
""",
        '{ "input": { "id": "ses_33" } }',
    ),
    Example(
        """# Answer the customer.
mutation Reply($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id sentAt text }
    interaction { attention { needed } latestMessage { text } }
    errors { code message path }
  }
}
""",
        '{ "input": { "id": "ses_33", "content": { "text": { "content": "Hello, how can I help?" } } } }',
    ),
)
