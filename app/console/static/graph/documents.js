// The operations of the console: all that it asks of the graph.

const ROW = `fragment Row on Interaction {
  id kind state version botActive waitingSince latestMessageAt unansweredMessagesCount
  customer { id name displayId phoneNumber }
  assignee { id name }
  latestMessage { id author text }
  attention { needed level reason reasons since deadline queueKey note acknowledgedBy { id name } claimedUntil }
  ... on Conversation { channel }
  ... on ChatSession { customerName topic { name } }
}`;

const CAN = `viewerCan {
  claim release close reopen snooze unsnooze reply replyBlockedBy note acknowledge clearAttention resumeBot type
  acceptTransfer rejectTransfer cancelTransfer markRead
}`;

const HEAD = `fragment Head on Interaction {
  ...Row
  labels unreadCustomerMessagesCount
  ${CAN}
  viewers { until user { id name } }
  ... on Conversation { replyPossible replyUntil snoozeUntil }
  ... on ChatSession { transferTo { id name } }
  ... on AgentSession { title: name agent { name } }
}
${ROW}`;

const FILE = "name mimeType size publicDownloadUrl downloadUrl";

const WORDS = `fragment Words on Message {
  id author authorName text sentAt status hidden customerReaction agentReaction
  user { id name }
  reference { id author text }
  latestError { originalMessage }
  contents {
    __typename
    ... on TextMessageContent { content }
    ... on ImageMessageContent { ${FILE} caption }
    ... on VideoMessageContent { ${FILE} caption }
    ... on AudioMessageContent { ${FILE} voice }
    ... on DocumentMessageContent { ${FILE} caption filename }
    ... on LocationMessageContent { placeName: name address latitude longitude url }
    ... on ContactMessageContent {
      contactName: name { formattedName }
      org { company title }
      phones { phone type }
      emails { email type }
    }
  }
}`;

const REMARK = `fragment Remark on Note { id text createdAt updatedAt author { id name } }`;

const OTHERS = `nodes { id kind state latestMessageAt attention { needed level reason } latestMessage { text } }`;

export const VIEWER = `{ viewer { user { id name } permissions } }`;

export const QUEUE = `query Queue($filter: InteractionFilter, $after: String) {
  attentionQueue(filter: $filter, first: 100, after: $after) {
    cursor
    totalCount
    nodes { ...Row viewerCan { claim } }
    pageInfo { hasNextPage endCursor }
  }
}
${ROW}`;

export const QUEUE_CHANGES = `subscription QueueChanges($filter: InteractionEventFilter, $after: String) {
  attentionChanged(filter: $filter, after: $after) {
    cursor change topic interactionId clientMutationId levelBefore levelAfter
    actor { id name }
    interaction { ...Row viewerCan { claim } }
  }
}
${ROW}`;

export const INTERACTION = `query OneInteraction($id: ID!) {
  interaction(id: $id) {
    ...Head
    messages(last: 40) { cursor nodes { ...Words } pageInfo { hasPreviousPage startCursor } }
    notes(first: 100) { nodes { ...Remark } }
  }
}
${HEAD}
${WORDS}
${REMARK}`;

export const EARLIER = `query Earlier($id: ID!, $before: String!) {
  interaction(id: $id) {
    messages(last: 40, before: $before) { nodes { ...Words } pageInfo { hasPreviousPage startCursor } }
  }
}
${WORDS}`;

export const INTERACTION_CHANGES = `subscription InteractionChanges($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after, viewing: true) {
    cursor topic clientMutationId messageNodeId noteNodeId
    actor { id name }
    interaction { ...Head }
    message { ...Words }
    note { ...Remark }
  }
}
${HEAD}
${WORDS}
${REMARK}`;

export const TYPING = `subscription Typing($id: ID!) { typingChanged(interactionId: $id) { until user { id name } } }`;

export const PERSON = `query Person($id: ID!) {
  interaction(id: $id) {
    id
    customer {
      id name displayId phoneNumber email companyName timeZone system
      profile { id name email phoneNumber blocked interactions(first: 20) { ${OTHERS} } }
      interactions(first: 20) { ${OTHERS} }
    }
  }
}`;

export const SUMMARY = `subscription Summary($groupBy: AttentionGrouping!) {
  attentionSummaryChanged(groupBy: $groupBy) {
    count oldestSince listeners
    groups { level kind count oldestSince }
  }
}`;

const ERRORS = `errors {
  code message
  ... on AlreadyClaimedError { claimedBy { id name } claimedUntil }
  ... on NotClearableError { reasons }
}`;

const change = (field, type) =>
  `mutation Change($input: ${type}!) { ${field}(input: $input) { interaction { ...Head } ${ERRORS} } }\n${HEAD}`;

const changeOfChat = (field, type) =>
  `mutation Change($input: ${type}!) { ${field}(input: $input) { interaction: chatSession { ...Head } ${ERRORS} } }\n${HEAD}`;

/** The mutations that change an interaction as a whole, by the name of what the viewer can. */
export const CHANGES = {
  claim: change("claimInteraction", "ClaimInteractionInput"),
  release: change("releaseInteraction", "ReleaseInteractionInput"),
  close: change("closeInteraction", "CloseInteractionInput"),
  reopen: change("reopenInteraction", "ReopenInteractionInput"),
  snooze: change("snoozeInteraction", "SnoozeInteractionInput"),
  unsnooze: change("unsnoozeInteraction", "UnsnoozeInteractionInput"),
  acknowledge: change("acknowledgeAttention", "AcknowledgeAttentionInput"),
  clearAttention: change("clearAttention", "ClearAttentionInput"),
  resumeBot: change("resumeBot", "ResumeBotInput"),
  acceptTransfer: changeOfChat("acceptChatTransfer", "AcceptChatTransferInput"),
  rejectTransfer: changeOfChat("rejectChatTransfer", "RejectChatTransferInput"),
  cancelTransfer: changeOfChat("cancelChatTransfer", "CancelChatTransferInput"),
};

export const SEND = `mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { clientMutationId message { ...Words } interaction { ...Head } ${ERRORS} }
}
${HEAD}
${WORDS}`;

export const ADD_NOTE = `mutation AddNote($input: AddNoteInput!) {
  addNote(input: $input) { clientMutationId note { ...Remark } ${ERRORS} }
}
${REMARK}`;

export const MARK_READ = `mutation MarkRead($input: MarkReadInput!) {
  markRead(input: $input) { interaction { id } ${ERRORS} }
}`;

export const SAY_TYPING = `mutation SayTyping($input: SendTypingInput!) {
  sendTyping(input: $input) { interaction { id } ${ERRORS} }
}`;
