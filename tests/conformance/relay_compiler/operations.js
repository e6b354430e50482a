// What a wallboard with Relay would ask. The compiler reads it; nobody runs it.
import { graphql } from "relay-runtime";

export const Interaction = graphql`
  fragment operations_interaction on Interaction {
    id
    kind
    state
    labels
    customer { name }
    assignee { id name }
    attention { needed level reason reasons since claimedBy { id name } }
    viewerCan { claim reply close }
    ... on Session { sessionKey }
    ... on ChatSession { rank topic { name } }
  }
`;

export const Queue = graphql`
  fragment operations_queue on Query
  @refetchable(queryName: "operationsQueuePaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    after: { type: "String" }
    filter: { type: "InteractionFilter" }
  ) {
    attentionQueue(first: $count, after: $after, filter: $filter)
    @connection(key: "operations_attentionQueue", filters: ["filter"]) {
      __id
      cursor
      totalCount
      edges { node { ...operations_interaction } }
    }
  }
`;

export const All = graphql`
  fragment operations_all on Query
  @refetchable(queryName: "operationsAllPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    after: { type: "String" }
    filter: { type: "InteractionFilter" }
  ) {
    interactions(first: $count, after: $after, filter: $filter, orderBy: { field: UPDATED_AT, direction: DESC })
    @connection(key: "operations_interactions") {
      edges { node { ...operations_interaction } }
    }
  }
`;

export const Messages = graphql`
  fragment operations_messages on Interaction
  @refetchable(queryName: "operationsMessagesPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, before: { type: "String" }) {
    messages(last: $count, before: $before) @connection(key: "operations_messages") {
      edges {
        node {
          id
          author
          sentAt
          contents {
            __typename
            ... on TextMessageContent { content }
            ... on ImageMessageContent { caption publicDownloadUrl }
          }
        }
      }
    }
  }
`;

export const Wallboard = graphql`
  query operationsWallboardQuery($filter: InteractionFilter) {
    viewer { user { id name } permissions }
    attentionSummary(groupBy: LEVEL) { groups { level count oldestSince } }
    ...operations_queue @arguments(filter: $filter)
    ...operations_all
  }
`;

export const Detail = graphql`
  query operationsDetailQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...operations_interaction @alias
      ...operations_messages @alias
    }
  }
`;

export const Claim = graphql`
  mutation operationsClaimMutation($input: ClaimInteractionInput!) {
    claimInteraction(input: $input) {
      interaction { ...operations_interaction }
      errors {
        __typename
        code
        message
        path
        ... on AlreadyClaimedError { claimedBy { id name } claimedUntil }
      }
    }
  }
`;

export const Reply = graphql`
  mutation operationsReplyMutation($input: SendMessageInput!, $connections: [ID!]!) {
    sendMessage(input: $input) {
      message @appendNode(connections: $connections, edgeTypeName: "MessageEdge") { id author sentAt }
      errors { code message }
    }
  }
`;

export const Changes = graphql`
  subscription operationsChangesSubscription($after: String, $filter: InteractionEventFilter) {
    attentionChanged(after: $after, filter: $filter) {
      cursor
      change
      topic
      interactionId
      interaction { ...operations_interaction }
    }
  }
`;
