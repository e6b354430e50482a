// The operations of the console: all that it asks of the graph. app/console/documents.py reads them for operators who
// trust documents alone, so each is a template whose places are constants of this file.

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
  acceptTransfer rejectTransfer cancelTransfer markRead assign label react
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

const FILE = `name mimeType size publicDownloadUrl downloadUrl`;

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

export const VIEWER = `{ viewer { user { id name } permissions apiKey { id permissions } } }`;

const DURATIONS = `fragment Durations on ReportDurations { count p50Seconds p90Seconds }`;

const FIGURES = `fragment Figures on ReportFigures {
  firstResponse { ...Durations }
  nextResponse { ...Durations }
  waiting { ...Durations }
  botResponse { ...Durations }
  resolution { ...Durations }
  answeredCount targetedCount withinTargetCount unansweredCount missedCount reopenedCount
}
${DURATIONS}`;

export const REPORT = `query Report($since: DateTime!, $until: DateTime!, $by: ReportGrouping, $zone: String!, $filter: ReportFilter) {
  report(since: $since, until: $until, groupBy: $by, timeZone: $zone, filter: $filter) {
    since countsSince csv
    total { ...Figures }
    groups { kind team { name } user { name } start hour figures { ...Figures } }
  }
}
${FIGURES}`;

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

export const SEARCH = `query Search($text: String!) {
  searchInteractions(text: $text, first: 30) {
    nodes { ...Row }
    pageInfo { hasNextPage }
  }
}
${ROW}`;

export const LABELS = `query Labels {
  interactionCounts(groupBy: [LABEL]) { groupings { groups { value count } } }
}`;

export const TEAM_NAMES = `query TeamNames { teams(first: 100) { nodes { id name } } }`;

export const ASSIGNABLE = `query Assignable($id: ID!, $search: String) {
  interaction(id: $id) {
    assignableUsers(first: 50, search: $search) {
      nodes { id name presence { present } }
      pageInfo { hasNextPage }
    }
  }
}`;

export const HISTORY = `query History($id: ID!, $after: String) {
  interaction(id: $id) {
    history(first: 50, after: $after) {
      nodes {
        id at topic levelBefore levelAfter
        actor { id name }
        message { id author text }
        note { id text }
        changes { field before after beforeNode { ...Named } afterNode { ...Named } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
fragment Named on Node {
  id
  ... on User { name }
  ... on ChatTopic { name }
}`;

export const SUMMARY = `subscription Summary($groupBy: AttentionGrouping!) {
  attentionSummaryChanged(groupBy: $groupBy) {
    count oldestSince listeners
    groups { level kind count oldestSince }
  }
}`;

export const DUE = `query Due($after: String) {
  attentionQueue(first: 100, after: $after) {
    cursor
    nodes { id attention { deadline } }
    pageInfo { hasNextPage endCursor }
  }
}`;

export const HAPPENING = `subscription Happening($after: String) {
  interactionChanged(after: $after) {
    cursor at topic interactionId
    message { id author }
    interaction { id attention { needed deadline } }
  }
}`;

export const PRESENT = `query Present {
  events { cursor }
  users(present: true, active: true, first: 100) { nodes { id name } }
}`;

export const PRESENCE_CHANGES = `subscription PresenceChanges($after: String) {
  presenceChanged(after: $after) { cursor present userId user { id name } }
}`;

const ERRORS = `errors {
  code message
  ... on AlreadyClaimedError { claimedBy { id name } claimedUntil }
  ... on NotClearableError { reasons }
}`;

const CHANGED = `interaction { ...Head } ${ERRORS}`;
const CHAT_CHANGED = `interaction: chatSession { ...Head } ${ERRORS}`;

const CLAIM = `mutation ClaimInteraction($input: ClaimInteractionInput!) { claimInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const RELEASE = `mutation ReleaseInteraction($input: ReleaseInteractionInput!) { releaseInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const ASSIGN = `mutation AssignInteraction($input: AssignInteractionInput!) { assignInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const CLOSE = `mutation CloseInteraction($input: CloseInteractionInput!) { closeInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const REOPEN = `mutation ReopenInteraction($input: ReopenInteractionInput!) { reopenInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const SNOOZE = `mutation SnoozeInteraction($input: SnoozeInteractionInput!) { snoozeInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const UNSNOOZE = `mutation UnsnoozeInteraction($input: UnsnoozeInteractionInput!) { unsnoozeInteraction(input: $input) { ${CHANGED} } }
${HEAD}`;
const ACKNOWLEDGE = `mutation AcknowledgeAttention($input: AcknowledgeAttentionInput!) { acknowledgeAttention(input: $input) { ${CHANGED} } }
${HEAD}`;
const CLEAR_ATTENTION = `mutation ClearAttention($input: ClearAttentionInput!) { clearAttention(input: $input) { ${CHANGED} } }
${HEAD}`;
const RESUME_BOT = `mutation ResumeBot($input: ResumeBotInput!) { resumeBot(input: $input) { ${CHANGED} } }
${HEAD}`;
const ADD_LABELS = `mutation AddLabels($input: AddLabelsInput!) { addLabels(input: $input) { ${CHANGED} } }
${HEAD}`;
const REMOVE_LABELS = `mutation RemoveLabels($input: RemoveLabelsInput!) { removeLabels(input: $input) { ${CHANGED} } }
${HEAD}`;
const ACCEPT_TRANSFER = `mutation AcceptChatTransfer($input: AcceptChatTransferInput!) { acceptChatTransfer(input: $input) { ${CHAT_CHANGED} } }
${HEAD}`;
const REJECT_TRANSFER = `mutation RejectChatTransfer($input: RejectChatTransferInput!) { rejectChatTransfer(input: $input) { ${CHAT_CHANGED} } }
${HEAD}`;
const CANCEL_TRANSFER = `mutation CancelChatTransfer($input: CancelChatTransferInput!) { cancelChatTransfer(input: $input) { ${CHAT_CHANGED} } }
${HEAD}`;

/** The mutations that change an interaction as a whole, by name. */
export const CHANGES = {
  claim: CLAIM,
  release: RELEASE,
  assign: ASSIGN,
  close: CLOSE,
  reopen: REOPEN,
  snooze: SNOOZE,
  unsnooze: UNSNOOZE,
  acknowledge: ACKNOWLEDGE,
  clearAttention: CLEAR_ATTENTION,
  resumeBot: RESUME_BOT,
  addLabels: ADD_LABELS,
  removeLabels: REMOVE_LABELS,
  acceptTransfer: ACCEPT_TRANSFER,
  rejectTransfer: REJECT_TRANSFER,
  cancelTransfer: CANCEL_TRANSFER,
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

export const REACT = `mutation React($input: SetReactionInput!) {
  setReaction(input: $input) { message { ...Words } ${ERRORS} }
}
${WORDS}`;

export const MARK_READ = `mutation MarkRead($input: MarkReadInput!) {
  markRead(input: $input) { interaction { id } ${ERRORS} }
}`;

export const SAY_TYPING = `mutation SayTyping($input: SendTypingInput!) {
  sendTyping(input: $input) { interaction { id } ${ERRORS} }
}`;
