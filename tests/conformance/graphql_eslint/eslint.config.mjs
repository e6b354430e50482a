// The rules of graphql-eslint that schema.graphql keeps, and what is excepted from them, with the reason.
import graphql from "@graphql-eslint/eslint-plugin";

const { configs, parser } = graphql;

// A field that begins with the name of its type is one of a contract, under the contract's own name, and stands beside
// the `id` that the object has in the graph (docs/glossary.md, "Names in the schema").
export const CONTRACT_NAMES = {
  "AgentSession.agentSessionKey": "the AI agents' `agent_session_key`",
  "Campaign.campaignId": "the messengers' `campaign_id`, which is no id of the graph",
  "ChatSession.chatSessionId": "the live chat's `ChatSessionId`",
  "Conversation.conversationId": "the messengers' `conversation_id`",
  "Customer.customerKey": "the text that all four systems know a customer by",
  "Message.messageId": "the messengers' `message_id`",
  "Message.messageKey": "the text by which a system sends a message once",
  "Message.messageType": "the live chat's `messageType`, beside the types of the contents",
  "Note.noteId": "the messengers' `note_id`",
  "Session.sessionKey": "the bot's `session_key`",
};

// What is no object of its own has no `id`, and clients keep it with what it belongs to.
const WITHOUT_ID = {
  suffixes: [
    "Connection", // a page: its items have ids
    "Edge", // the same
    "Payload", // an answer to one mutation
    "Error", // a reason in such an answer, or of a message
    "MessageContent", // a part of a message, which has the id
  ],
  types: [
    // Of an interaction, whose id they share.
    ...["Attention", "InteractionViewer", "SessionContextUsage", "Typing", "ViewerCan", "FieldProperty", "TableRight"],
    // Numbers of a moment.
    ...["AttentionGroup", "AttentionSummary", "InteractionCounts", "InteractionGroup", "InteractionGroups"],
    // Values in a column of what has the id.
    ...["Campaign", "CompactionConfig", "FieldChange", "OpeningHours", "Presence"],
    ...["PersonReference", "ProjectReference", "SaleReference", "TicketReference"],
    ...["ContactAddress", "ContactEmail", "ContactName", "ContactOrganization", "ContactPhone", "ContactReference"],
    // Pages, and what tells of an event: the event's id is in the log.
    ...["EventPage", "PageInfo", "PresenceEvent"],
    // The caller: a user and a key, which have ids.
    "Viewer",
  ],
};

const everything = Object.fromEntries(
  ["types", "rootField", "DirectiveDefinition", "FieldDefinition", "InputValueDefinition", "EnumValueDefinition"].map(
    (name) => [name, true],
  ),
);

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser, parserOptions: { graphQLConfig: { schema: "./schema.graphql" } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...configs["flat/schema-recommended"].rules,
      ...configs["flat/schema-relay"].rules,
      "@graphql-eslint/strict-id-in-types": ["error", { exceptions: WITHOUT_ID }],
      // The `nodes` of a connection are its items without their edges. An entry of a history or an error of a message
      // is an item of a connection and no Node: it is found by what it belongs to alone.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }],
      "@graphql-eslint/require-description": ["error", everything],
      // `AddNoteInput` of `addNote`.
      "@graphql-eslint/input-name": ["error", { checkInputType: true, caseSensitiveInputType: false }],
    },
  },
];
