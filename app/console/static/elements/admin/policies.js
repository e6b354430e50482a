// Policies: which attention is told to which destinations, and when.

import { COMMANDS, LISTS } from "../../graph/administration.js";
import { LEVELS } from "../../models/queue.js";
import { may } from "../../models/rights.js";
import { checkField, checksField, numberField, textField, timeField } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";
import { pickField } from "../../view/pick.js";
import { asking, commanding, creating, editing } from "./actions.js";
import { zone } from "./topics.js";

const KINDS = ["SESSION", "AGENT_SESSION", "CHAT_SESSION", "CONVERSATION"];
const REASONS = [
  ...["REPLY_WINDOW", "MISSED", "ALERT", "TRANSFER", "QUEUED", "FLAGGED", "ESCALATED", "CUSTOMER_WAITING"],
  ...["DELIVERY_FAILED", "TO_DO", "ORPHANED", "SYNC_REFUSED", "SYNC_UNCERTAIN", "RAISED"],
];
const MOST_MINUTES = 10_080;

const choices = (group, values) => values.map((each) => [each, sayValue(group, each)]);

const findIn = (nodes) => async (text) => nodes.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
const namesOf = ({ nodes }) => new Map(nodes.map(({ id, name }) => [id, name]));
const chosenOf = (ids, names) => (ids ?? []).map((id) => ({ id, name: names.get(id) ?? id }));

async function fields(tools, item = null) {
  const { destinations, teams } = await tools.graph.query(LISTS.policies, {});
  const told = destinations.nodes.filter(({ document }) => document === null); // others tell what their document says
  const any = { isAnyWhenNone: true, hint: say("anyWhenNone") };
  return [
    textField("name", say("name"), item?.name, { isRequired: true }),
    pickField("destinationIds", say("destinations"), chosenOf(item?.destinationIds, namesOf(destinations)), findIn(told), { isRequired: true, hint: say("destinationsHint") }),
    checksField("levels", say("levels"), item?.levels, choices("level", LEVELS), any),
    checksField("kinds", say("kinds"), item?.kinds, choices("kind", KINDS), any),
    checksField("reasons", say("reasons"), item?.reasons, choices("reason", REASONS), any),
    pickField("teamIds", say("teams"), chosenOf(item?.teamIds, namesOf(teams)), findIn(teams.nodes), { empty: null, hint: say("teamsHint") }),
    numberField("afterMinutes", say("afterMinutes"), item?.afterMinutes ?? 0, { min: 0, max: MOST_MINUTES, isRequired: true, hint: say("afterMinutesHint") }),
    numberField("againMinutes", say("againMinutes"), item?.againMinutes, { min: 1, max: MOST_MINUTES, hint: say("againMinutesHint") }),
    timeField("quietFrom", say("quietFrom"), item?.quietFrom),
    timeField("quietTo", say("quietTo"), item?.quietTo, { hint: say("quietHint") }),
    textField("timeZone", say("timeZone"), item?.timeZone ?? zone(), { isRequired: true, maxLength: 64 }),
    checkField("enabled", say("enabled"), item?.enabled ?? true),
  ];
}

const some = (group, values) => values && values.map((each) => sayValue(group, each)).join(", ");

const switched = (name, enabled) =>
  commanding(name, {
    document: COMMANDS.updatePolicy,
    input: ({ version }) => ({ enabled, ifVersion: version }),
    isShown: (item) => item.enabled !== enabled,
  });

export const POLICIES = {
  name: "policies",
  isFor: (viewer) => may(viewer, "DESTINATIONS_MANAGE"),
  list: {
    document: LISTS.policies,
    of({ policies, destinations, teams }) {
      const named = (ids, of) => ids?.map((id) => namesOf(of).get(id) ?? id);
      const nodes = policies.nodes.map((each) => ({ ...each, told: named(each.destinationIds, destinations), teams: named(each.teamIds, teams) }));
      return { ...policies, nodes };
    },
  },
  title: ({ name }) => name,
  badges: ({ enabled }) => [enabled ? { text: say("enabled"), tone: "good" } : { text: say("notEnabled"), tone: "warn" }],
  facts: (item) => [
    say("tells", { names: item.told.join(", ") }),
    [some("level", item.levels), some("kind", item.kinds), some("reason", item.reasons)].filter(Boolean).join(" · ") || say("everything"),
    item.teams && say("inTeams", { names: item.teams.join(", ") }),
    [
      item.afterMinutes ? say("afterN", { n: item.afterMinutes }) : say("atOnce"),
      item.againMinutes && say("againN", { n: item.againMinutes }),
      item.quietFrom && say("quiet", { from: item.quietFrom, to: item.quietTo, zone: item.timeZone }),
    ]
      .filter(Boolean)
      .join(" · "),
  ],
  create: creating("createPolicy", { document: COMMANDS.createPolicy, fields }),
  actions: [
    editing("editPolicy", { document: COMMANDS.updatePolicy, fields, isMain: true }),
    switched("enablePolicy", true),
    switched("disablePolicy", false),
    asking("deletePolicy", { document: COMMANDS.deletePolicy }),
  ],
};
