// The operations of the administration. As in documents.js, each is a template whose places are constants of this file.

const PAGE = `pageInfo { hasNextPage endCursor }`;
const ERRORS = `errors { code message path }`;

const USER = `fragment UserRow on User {
  id login name fullName email type active isService permissions roles hiddenFields version
  presence { present }
  teams(first: 20) { nodes { id name } }
}`;

const KEY = `fragment KeyRow on ApiKey {
  id name prefix permissions createdAt expiresAt revokedAt isCurrent
  user { id name }
}`;

const TEAM = `fragment TeamRow on Team { id name labels accountIds version members(first: 1) { totalCount } }`;

const TOPIC = `fragment TopicRow on ChatTopic {
  id topicId name description language timeZone initialStatus botEnabled welcomeMessage offlineMessage queueLength
  openingHours { day opens closes }
  members(first: 1) { totalCount }
}`;

const MEMBER = `fragment MemberRow on ChatTopicMember {
  id canRespond canListen canManage canNotify present ongoingChats
  user { id name }
}`;

const CHANNEL_AGENT = `fragment ChannelAgentRow on ChannelAgent { id channel displayId name inSync unreadConversationsCount version }`;

const CONNECTION = `fragment ConnectionRow on ConnectedSystem {
  id system name address hookPath paused state settings version
  pending parked lagSeconds pendingReads pendingWrites walkedPages totalPages missing refusedCount
  lastDeliveryAt lastRefusedAt formerSecretUntil
  failingReads(first: 1) { totalCount }
  error { code message action }
}`;

const DESTINATION = `fragment DestinationRow on Destination {
  id type name address document operationName variables mostInFlight state reason message version
  stateChangedAt failingSince deliveredAt formerUntil
  owner { id name }
}`;

const POLICY = `fragment PolicyRow on Policy {
  id name enabled kinds levels reasons teamIds destinationIds afterMinutes againMinutes quietFrom quietTo timeZone version
}`;

const SETTING = `fragment SettingRow on Setting { name value isSecret isSet source description }`;

const USERS = `query Users($search: String, $after: String) {
  users(search: $search, first: 50, after: $after) { nodes { ...UserRow } ${PAGE} }
}
${USER}`;

const OWN_KEYS = `query OwnKeys($after: String) {
  viewer { apiKeys(first: 50, after: $after) { nodes { ...KeyRow } ${PAGE} } }
}
${KEY}`;

const KEYS_OF_USER = `query KeysOfUser($id: ID!, $after: String) {
  user(id: $id) { apiKeys(first: 50, after: $after) { nodes { ...KeyRow madeBy { id name } } ${PAGE} } }
}
${KEY}`;

const TEAMS = `query Teams($after: String) { teams(first: 50, after: $after) { nodes { ...TeamRow } ${PAGE} } }
${TEAM}`;

const TOPICS = `query Topics($after: String) { chatTopics(first: 50, after: $after) { nodes { ...TopicRow } ${PAGE} } }
${TOPIC}`;

const MEMBERS_OF_TOPIC = `query MembersOfTopic($id: ID!, $after: String) {
  chatTopic(id: $id) { members(first: 50, after: $after) { nodes { ...MemberRow } ${PAGE} } }
}
${MEMBER}`;

const CHANNEL_AGENTS = `query ChannelAgents($after: String) {
  channelAgents(first: 50, after: $after) { nodes { ...ChannelAgentRow } ${PAGE} }
}
${CHANNEL_AGENT}`;

const CONNECTIONS = `query Connections($after: String) {
  connections(first: 50, after: $after) { cursor nodes { ...ConnectionRow } ${PAGE} }
}
${CONNECTION}`;

const PARKED = `query Parked($id: ID!, $after: String) {
  connection(id: $id) {
    parkedDeliveries(first: 50, after: $after) { cursor nodes { id eventKey receivedAt attempts reason body } ${PAGE} }
  }
}`;

const FAILING = `query Failing($id: ID!, $after: String) {
  connection(id: $id) {
    failingReads(first: 50, after: $after) { cursor nodes { id upstreamKey dueAt attempts reason } ${PAGE} }
  }
}`;

const OUTBOX = `query Outbox($after: String) {
  attentionQueue(filter: { reasons: [SYNC_REFUSED, SYNC_UNCERTAIN] }, first: 50, after: $after) {
    cursor
    nodes { ...Stuck }
    ${PAGE}
  }
}
fragment Stuck on Interaction {
  id kind
  customer { name displayId phoneNumber }
  attention { reasons since }
  viewerCan { label }
  upstream { name url pending error }
}`;

const OUTBOX_ENTRIES = `query OutboxEntries($id: ID!, $after: String) {
  interaction(id: $id) {
    upstream {
      entries(first: 50, after: $after) {
        cursor
        nodes { id action state attempts createdAt deadline lastError user { id name } aboutMessage { id text } }
        ${PAGE}
      }
    }
  }
}`;

const DESTINATIONS = `query Destinations($after: String) {
  destinations(first: 50, after: $after) { cursor nodes { ...DestinationRow } ${PAGE} }
}
${DESTINATION}`;

const DELIVERIES = `query Deliveries($id: ID!, $status: DeliveryStatus, $after: String) {
  deliveries(destinationId: $id, status: $status, first: 50, after: $after) {
    cursor
    nodes {
      id status isTest topic attempts firstAttemptAt attemptedAt nextAttemptAt httpStatus latencyMs fault excerpt
      policy { id name }
      interaction { id }
    }
    ${PAGE}
  }
}`;

const POLICIES = `query Policies($after: String) {
  policies(first: 50, after: $after) { nodes { ...PolicyRow } ${PAGE} }
  destinations(first: 100) { nodes { id name document } }
  teams(first: 100) { nodes { id name } }
}
${POLICY}`;

const SETTINGS = `query Settings { settings { ...SettingRow } }
${SETTING}`;

/** What each list reads; `$after` is the cursor of the page before. */
export const LISTS = {
  users: USERS,
  ownKeys: OWN_KEYS,
  keysOfUser: KEYS_OF_USER,
  teams: TEAMS,
  topics: TOPICS,
  membersOfTopic: MEMBERS_OF_TOPIC,
  channelAgents: CHANNEL_AGENTS,
  connections: CONNECTIONS,
  parked: PARKED,
  failing: FAILING,
  outbox: OUTBOX,
  outboxEntries: OUTBOX_ENTRIES,
  destinations: DESTINATIONS,
  deliveries: DELIVERIES,
  policies: POLICIES,
  settings: SETTINGS,
};

export const CONNECTION_CHANGES = `subscription ConnectionChanges($id: ID, $after: String) {
  connectionChanged(id: $id, after: $after) { cursor connectionId }
}`;

export const OUTBOX_CHANGES = `subscription OutboxChanges($after: String) {
  attentionChanged(filter: { reasons: [SYNC_REFUSED, SYNC_UNCERTAIN] }, after: $after) { cursor }
}`;

export const DESTINATION_CHANGES = `subscription DestinationChanges($id: ID, $after: String) {
  destinationChanged(id: $id, after: $after) { cursor destinationId }
}`;

const FIND_USERS = `query FindUsers($search: String) {
  users(active: true, search: $search, first: 20) { nodes { id name login } }
}`;

const MEMBERS_OF_TEAM = `query MembersOfTeam($id: ID!, $after: String) {
  team(id: $id) { members(first: 100, after: $after) { nodes { id name login } ${PAGE} } }
}`;

const ACCOUNTS = `query Accounts($channelAgents: Boolean!, $aiAgents: Boolean!, $chatTopics: Boolean!) {
  channelAgents(first: 100) @include(if: $channelAgents) { nodes { id name displayId } }
  aiAgents(first: 100) @include(if: $aiAgents) { nodes { id name agentKey } }
  chatTopics(first: 100) @include(if: $chatTopics) { nodes { id name topicId } }
}`;

const NAMES = `query Names($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on ChannelAgent { name }
    ... on AiAgent { name }
    ... on ChatTopic { name }
  }
}`;

const SYSTEMS = `query Systems { __type(name: "ConnectionSystem") { enumValues { name } } }`;

/** What forms offer to choose from. */
export const CHOICES = { systems: SYSTEMS, users: FIND_USERS, membersOfTeam: MEMBERS_OF_TEAM, accounts: ACCOUNTS, names: NAMES };

const CREATE_USER = `mutation CreateUser($input: CreateUserInput!) { createUser(input: $input) { user { id } ${ERRORS} } }`;
const UPDATE_USER = `mutation UpdateUser($input: UpdateUserInput!) { updateUser(input: $input) { user { id } ${ERRORS} } }`;
const DEACTIVATE_USER = `mutation DeactivateUser($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { id } ${ERRORS} } }`;
const ACTIVATE_USER = `mutation ActivateUser($input: ActivateUserInput!) { activateUser(input: $input) { user { id } ${ERRORS} } }`;
const CREATE_KEY = `mutation CreateApiKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id name } ${ERRORS} } }`;
const REVOKE_KEY = `mutation RevokeApiKey($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } ${ERRORS} } }`;
const CREATE_TEAM = `mutation CreateTeam($input: CreateTeamInput!) { createTeam(input: $input) { team { id } ${ERRORS} } }`;
const UPDATE_TEAM = `mutation UpdateTeam($input: UpdateTeamInput!) { updateTeam(input: $input) { team { id } ${ERRORS} } }`;
const DELETE_TEAM = `mutation DeleteTeam($input: DeleteTeamInput!) { deleteTeam(input: $input) { deletedId ${ERRORS} } }`;
const ASSIGN_TEAM = `mutation AssignTeam($input: AssignTeamInput!) { assignTeam(input: $input) { interaction { id } ${ERRORS} } }`;
const CREATE_TOPIC = `mutation CreateChatTopic($input: CreateChatTopicInput!) { createChatTopic(input: $input) { chatTopic { id } ${ERRORS} } }`;
const UPDATE_TOPIC = `mutation UpdateChatTopic($input: UpdateChatTopicInput!) { updateChatTopic(input: $input) { chatTopic { id } ${ERRORS} } }`;
const DELETE_TOPIC = `mutation DeleteChatTopic($input: DeleteChatTopicInput!) { deleteChatTopic(input: $input) { deletedId ${ERRORS} } }`;
const ADD_MEMBER = `mutation AddChatTopicMember($input: AddChatTopicMemberInput!) { addChatTopicMember(input: $input) { __typename ${ERRORS} } }`;
const UPDATE_MEMBER = `mutation UpdateChatTopicMember($input: UpdateChatTopicMemberInput!) { updateChatTopicMember(input: $input) { __typename ${ERRORS} } }`;
const REMOVE_MEMBER = `mutation RemoveChatTopicMember($input: RemoveChatTopicMemberInput!) { removeChatTopicMember(input: $input) { deletedId ${ERRORS} } }`;
const CREATE_CHANNEL_AGENT = `mutation CreateChannelAgent($input: CreateChannelAgentInput!) { createChannelAgent(input: $input) { channelAgent { id } ${ERRORS} } }`;
const UPDATE_CHANNEL_AGENT = `mutation UpdateChannelAgent($input: UpdateChannelAgentInput!) { updateChannelAgent(input: $input) { channelAgent { id } ${ERRORS} } }`;
const CREATE_CONNECTION = `mutation CreateConnection($input: CreateConnectionInput!) { createConnection(input: $input) { secret connection { id hookPath system } ${ERRORS} } }`;
const UPDATE_CONNECTION = `mutation UpdateConnection($input: UpdateConnectionInput!) { updateConnection(input: $input) { connection { id } ${ERRORS} } }`;
const PAUSE_CONNECTION = `mutation PauseConnection($input: PauseConnectionInput!) { pauseConnection(input: $input) { connection { id } ${ERRORS} } }`;
const RESUME_CONNECTION = `mutation ResumeConnection($input: ResumeConnectionInput!) { resumeConnection(input: $input) { connection { id } ${ERRORS} } }`;
const TEST_CONNECTION = `mutation TestConnection($input: TestConnectionInput!) { testConnection(input: $input) { problems ${ERRORS} } }`;
const ROTATE_CONNECTION = `mutation RotateConnectionSecret($input: RotateConnectionSecretInput!) { rotateConnectionSecret(input: $input) { secret ${ERRORS} } }`;
const DELETE_CONNECTION = `mutation DeleteConnection($input: DeleteConnectionInput!) { deleteConnection(input: $input) { deletedId ${ERRORS} } }`;
const REPLAY_PARKED = `mutation ReplayParked($input: ReplayParkedInput!) { replayParked(input: $input) { count ${ERRORS} } }`;
const RETRY_READS = `mutation RetryReads($input: RetryReadsInput!) { retryReads(input: $input) { count ${ERRORS} } }`;
const DROP_PARKED = `mutation DropParked($input: DropParkedInput!) { dropParked(input: $input) { count ${ERRORS} } }`;
const RETRY_ENTRY = `mutation RetryOutboxEntry($input: RetryOutboxEntryInput!) { retryOutboxEntry(input: $input) { interaction { id } ${ERRORS} } }`;
const DROP_ENTRY = `mutation DropOutboxEntry($input: DropOutboxEntryInput!) { dropOutboxEntry(input: $input) { interaction { id } ${ERRORS} } }`;
const CREATE_DESTINATION = `mutation CreateDestination($input: CreateDestinationInput!) { createDestination(input: $input) { secret destination { id type } ${ERRORS} } }`;
const UPDATE_DESTINATION = `mutation UpdateDestination($input: UpdateDestinationInput!) { updateDestination(input: $input) { destination { id } ${ERRORS} } }`;
const PAUSE_DESTINATION = `mutation PauseDestination($input: PauseDestinationInput!) { pauseDestination(input: $input) { destination { id } ${ERRORS} } }`;
const RESUME_DESTINATION = `mutation ResumeDestination($input: ResumeDestinationInput!) { resumeDestination(input: $input) { destination { id } ${ERRORS} } }`;
const TEST_DESTINATION = `mutation TestDestination($input: TestDestinationInput!) { testDestination(input: $input) { delivery { id status httpStatus latencyMs fault excerpt } ${ERRORS} } }`;
const REPLAY_DESTINATION = `mutation ReplayDestination($input: ReplayDestinationInput!) { replayDestination(input: $input) { destination { id } ${ERRORS} } }`;
const ROTATE_DESTINATION = `mutation RotateDestinationSecret($input: RotateDestinationSecretInput!) { rotateDestinationSecret(input: $input) { secret ${ERRORS} } }`;
const DELETE_DESTINATION = `mutation DeleteDestination($input: DeleteDestinationInput!) { deleteDestination(input: $input) { deletedId ${ERRORS} } }`;
const CREATE_POLICY = `mutation CreatePolicy($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } ${ERRORS} } }`;
const UPDATE_POLICY = `mutation UpdatePolicy($input: UpdatePolicyInput!) { updatePolicy(input: $input) { policy { id } ${ERRORS} } }`;
const DELETE_POLICY = `mutation DeletePolicy($input: DeletePolicyInput!) { deletePolicy(input: $input) { deletedId ${ERRORS} } }`;

/** The commands, by the names of their mutations. */
export const COMMANDS = {
  createUser: CREATE_USER,
  updateUser: UPDATE_USER,
  deactivateUser: DEACTIVATE_USER,
  activateUser: ACTIVATE_USER,
  createApiKey: CREATE_KEY,
  revokeApiKey: REVOKE_KEY,
  createTeam: CREATE_TEAM,
  updateTeam: UPDATE_TEAM,
  deleteTeam: DELETE_TEAM,
  assignTeam: ASSIGN_TEAM,
  createChatTopic: CREATE_TOPIC,
  updateChatTopic: UPDATE_TOPIC,
  deleteChatTopic: DELETE_TOPIC,
  addChatTopicMember: ADD_MEMBER,
  updateChatTopicMember: UPDATE_MEMBER,
  removeChatTopicMember: REMOVE_MEMBER,
  createChannelAgent: CREATE_CHANNEL_AGENT,
  updateChannelAgent: UPDATE_CHANNEL_AGENT,
  createConnection: CREATE_CONNECTION,
  updateConnection: UPDATE_CONNECTION,
  pauseConnection: PAUSE_CONNECTION,
  resumeConnection: RESUME_CONNECTION,
  testConnection: TEST_CONNECTION,
  rotateConnectionSecret: ROTATE_CONNECTION,
  deleteConnection: DELETE_CONNECTION,
  replayParked: REPLAY_PARKED,
  dropParked: DROP_PARKED,
  retryReads: RETRY_READS,
  retryOutboxEntry: RETRY_ENTRY,
  dropOutboxEntry: DROP_ENTRY,
  createDestination: CREATE_DESTINATION,
  updateDestination: UPDATE_DESTINATION,
  pauseDestination: PAUSE_DESTINATION,
  resumeDestination: RESUME_DESTINATION,
  testDestination: TEST_DESTINATION,
  replayDestination: REPLAY_DESTINATION,
  rotateDestinationSecret: ROTATE_DESTINATION,
  deleteDestination: DELETE_DESTINATION,
  createPolicy: CREATE_POLICY,
  updatePolicy: UPDATE_POLICY,
  deletePolicy: DELETE_POLICY,
};
