// Teams: their members, their borders, and interactions that are given to them by hand.

import { CHOICES, COMMANDS, LISTS } from "../../graph/administration.js";
import { may, sees } from "../../models/rights.js";
import { linesField, textField } from "../../view/fields.js";
import { say } from "../../view/language.js";
import { pickField } from "../../view/pick.js";
import { asking, creating, editing } from "./actions.js";
import { findUsers } from "./users.js";

const MOST_PAGES = 10; // of 100 members: as many as a team may have
const NODES = 100; // that the graph gives by their ids at once

async function membersOf(graph, id) {
  const found = [];
  for (let page = 0, after; page < MOST_PAGES; page++) {
    const { members } = (await graph.query(CHOICES.membersOfTeam, { id, after })).team;
    found.push(...members.nodes.map(({ id: user, name, login }) => ({ id: user, name, more: login })));
    if (!members.pageInfo.hasNextPage) break;
    after = members.pageInfo.endCursor;
  }
  return found;
}

/** The accounts by which customers come, of the kinds that the viewer sees. */
function findAccounts({ graph, viewer }) {
  let all;
  return async (text) => {
    all ??= await graph.query(CHOICES.accounts, {
      channelAgents: sees(viewer, "CONVERSATION"),
      aiAgents: sees(viewer, "AGENT_SESSION"),
      chatTopics: sees(viewer, "CHAT_SESSION"),
    });
    const accounts = [
      ...(all.channelAgents?.nodes ?? []).map(({ id, name, displayId }) => ({ id, name, more: displayId })),
      ...(all.aiAgents?.nodes ?? []).map(({ id, name, agentKey }) => ({ id, name, more: agentKey })),
      ...(all.chatTopics?.nodes ?? []).map(({ id, name }) => ({ id, name, more: say("chatTopic") })),
    ];
    return accounts.filter(({ name, more }) => `${name} ${more}`.toLowerCase().includes(text.toLowerCase()));
  };
}

// One that the viewer may not see keeps its id as its name.
async function accountsOf({ graph }, ids) {
  const names = new Map();
  for (let from = 0; from < ids.length; from += NODES) {
    const { nodes } = await graph.query(CHOICES.names, { ids: ids.slice(from, from + NODES) });
    for (const node of nodes) if (node) names.set(node.id, node.name);
  }
  return ids.map((id) => ({ id, name: names.get(id) ?? id }));
}

async function fields(tools, item = null) {
  const [members, accounts] = item ? await Promise.all([membersOf(tools.graph, item.id), accountsOf(tools, item.accountIds)]) : [[], []];
  return [
    textField("name", say("name"), item?.name, { isRequired: true }),
    pickField("memberIds", say("members"), members, findUsers(tools.graph)),
    pickField("accountIds", say("accounts"), accounts, findAccounts(tools), { hint: say("accountsHint") }),
    linesField("labels", say("labels"), item?.labels ?? [], { hint: say("labelsHint") }),
  ];
}

// As people have it before them: the id, or the address of the console that shows it.
const idIn = (text) => /(?:#open=|^)([a-z]{3}_[0-9]+)$/.exec(text)?.[1] ?? text;

export const TEAMS = {
  name: "teams",
  isFor: (viewer) => may(viewer, "TEAMS_MANAGE"),
  list: { document: LISTS.teams, of: ({ teams }) => teams },
  title: ({ name }) => name,
  facts: ({ members, accountIds, labels }) => [
    [say("membersN", { n: members.totalCount }), say("accountsN", { n: accountIds.length })].join(" · "),
    labels.length && say("labelsAre", { names: labels.join(", ") }),
  ],
  create: creating("createTeam", { document: COMMANDS.createTeam, fields }),
  actions: [
    editing("editTeam", { document: COMMANDS.updateTeam, fields, isMain: true }),
    asking("assignTeam", {
      document: COMMANDS.assignTeam,
      fields: () => [textField("id", say("interaction"), "", { isRequired: true, hint: say("interactionHint") })],
      input: ({ id }) => ({ teamId: id }),
      given: ({ id }) => ({ id: idIn(id) }),
      isShown: (_, { viewer }) => ["SESSION", "AGENT_SESSION", "CHAT_SESSION", "CONVERSATION"].some((kind) => may(viewer, `${kind}_WRITE`)),
      isDanger: false,
    }),
    asking("deleteTeam", { document: COMMANDS.deleteTeam, input: ({ version }) => ({ ifVersion: version }) }),
  ],
};
