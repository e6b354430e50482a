// Channel agents: the accounts on messengers and widgets.

import { COMMANDS, LISTS } from "../../graph/administration.js";
import { may, sees } from "../../models/rights.js";
import { checkField, selectField, textField } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";
import { creating, editing } from "./actions.js";

const CHANNELS = ["WHATSAPP", "WIDGET", "BRIDGE"];

const name = (item) => textField("name", say("name"), item?.name, { isRequired: true });
const inSync = (item) => checkField("inSync", say("inSync"), item?.inSync ?? true, { hint: say("inSyncHint") });

export const CHANNEL_AGENTS = {
  name: "channels",
  isFor: (viewer) => may(viewer, "CONVERSATION_WRITE") && sees(viewer, "CONVERSATION"),
  list: { document: LISTS.channelAgents, of: ({ channelAgents }) => channelAgents },
  title: (item) => item.name,
  badges: (item) => [{ text: sayValue("channel", item.channel) }, item.inSync ? null : { text: say("notInSync"), tone: "bad" }],
  facts: ({ displayId, unreadConversationsCount }) => [displayId, say("unreadN", { n: unreadConversationsCount })],
  create: creating("createChannelAgent", {
    document: COMMANDS.createChannelAgent,
    fields: () => [
      name(),
      selectField("channel", say("channel"), "WHATSAPP", CHANNELS.map((each) => [each, sayValue("channel", each)])),
      textField("displayId", say("displayId"), "", { isRequired: true, hint: say("displayIdHint") }),
      inSync(),
    ],
  }),
  actions: [editing("editChannelAgent", { document: COMMANDS.updateChannelAgent, fields: (_, item) => [name(item), inSync(item)], isMain: true })],
};
