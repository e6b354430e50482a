// Connections to other systems: how they stand, and what they could not deliver.

import { CHOICES, COMMANDS, CONNECTION_CHANGES, LISTS } from "../../graph/administration.js";
import { may } from "../../models/rights.js";
import { openDialog, showSecret } from "../../view/dialog.js";
import { h, words } from "../../view/dom.js";
import { jsonField, numberField, selectField, textField } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";
import { brief, exact, lasting } from "../../view/times.js";
import { asking, commanding, creating, editing, finished, showing } from "./actions.js";

const TONES = { CONNECTED: "good", BACKFILLING: "good", DEGRADED: "warn", BAD_CREDENTIALS: "bad" };
const OWN = "HTTP"; // systems that send deliveries by themselves
const A_DAY = 86_400;
const MOST_MISSING = 1_000_000;

const hookOf = (path) => new URL(path, location.href).href;

// The graph says which systems there are; all but one's own are reached by their addresses.
async function creationFields({ graph }) {
  const { __type: type } = await graph.query(CHOICES.systems);
  const reached = [
    textField("address", say("address"), "", { hint: say("connectionAddressHint"), type: "url", maxLength: 2048 }),
    textField("credential", say("credential"), "", { hint: say("credentialHint"), type: "password", maxLength: 4096 }),
  ];
  const show = (system) => reached.forEach(({ element }) => (element.hidden = system === OWN));
  const systems = type.enumValues.map(({ name }) => [name, sayValue("system", name)]);
  show(OWN);
  return [
    textField("name", say("name"), "", { isRequired: true }),
    selectField("system", say("system"), OWN, systems, { changed: show }),
    ...reached,
    jsonField("settings", say("connectionSettings"), null, { hint: say("connectionSettingsHint") }),
  ];
}

const changeFields = (_, item) => [
  textField("name", say("name"), item.name, { isRequired: true }),
  ...(item.address === null
    ? []
    : [
        textField("address", say("address"), item.address, { type: "url", isRequired: true, maxLength: 2048 }),
        textField("credential", say("credential"), "", { hint: say("credentialKept"), type: "password", maxLength: 4096 }),
      ]),
];

function made({ secret, connection }, tools) {
  if (!secret) return tools.tell(say("doneWith", { what: sayValue("act", "createConnection"), name: "" }));
  const facts = [say("hookIs", { address: hookOf(connection.hookPath) })];
  showSecret(tools.place, { title: say("connectionMade"), secret, facts });
}

async function tested(tools, name, item, { problems }) {
  await finished(tools, name, item);
  const found = problems.length ? h("ul", { class: "problems" }, problems.map((each) => h("li", { lang: "en" }, each))) : h("p", {}, say("noProblems"));
  openDialog(tools.place, say("actOn", { what: sayValue("act", name), name: item.name }), found);
}

async function rotated(tools, name, item, { secret }) {
  await finished(tools, name, item);
  showSecret(tools.place, { title: say("secretOf", { name: item.name }), secret });
}

// Of one delivery of the connection that the list is of.
const onlyThis = ({ id }, { parent }) => ({ id: parent.id, deliveryIds: [id] });

const PARKED = {
  name: "parked",
  list: {
    document: LISTS.parked,
    of: ({ connection }) => connection?.parkedDeliveries,
    variables: ({ id }) => ({ id }),
    changes: CONNECTION_CHANGES,
  },
  title: ({ eventKey }) => eventKey,
  facts: ({ reason, receivedAt, attempts, body }) => [
    h("p", { class: "fault", lang: "en", dir: "auto" }, reason),
    [exact(receivedAt), say("attemptsN", { n: attempts })].join(" · "),
    h("details", {}, h("summary", {}, say("body")), h("pre", { dir: "auto", tabIndex: 0 }, body)),
  ],
  actions: [
    commanding("replayDelivery", { document: COMMANDS.replayParked, input: onlyThis, isMain: true }),
    asking("dropDelivery", { document: COMMANDS.dropParked, input: onlyThis }),
  ],
};

const FAILING = {
  name: "failing",
  list: {
    document: LISTS.failing,
    of: ({ connection }) => connection?.failingReads,
    variables: ({ id }) => ({ id }),
    changes: CONNECTION_CHANGES,
  },
  title: ({ upstreamKey }) => upstreamKey,
  facts: ({ reason, dueAt, attempts }) => [
    h("p", { class: "fault", lang: "en", dir: "auto" }, reason),
    [say("attemptsN", { n: attempts }), exact(dueAt)].join(" · "),
  ],
  actions: [
    commanding("retryRead", {
      document: COMMANDS.retryReads,
      input: ({ id }, { parent }) => ({ id: parent.id, readIds: [id] }),
      isMain: true,
    }),
  ],
};

export const CONNECTIONS = {
  name: "connections",
  isFor: (viewer) => may(viewer, "CONNECTIONS_MANAGE"),
  list: { document: LISTS.connections, of: ({ connections }) => connections, changes: CONNECTION_CHANGES },
  title: ({ name }) => name,
  badges: ({ state, system }) => [{ text: sayValue("connectionState", state), tone: TONES[state] }, { text: sayValue("system", system) }],
  facts: (item) => [
    item.error && h("p", { class: "fault" }, sayValue("connectionError", item.error.code), " ", sayValue("connectionAction", item.error.action)),
    words(item.address ?? hookOf(item.hookPath), "p", "faint"),
    item.missing && say("missingN", { n: item.missing }),
    item.totalPages !== null && say("walked", { n: item.walkedPages ?? 0, of: item.totalPages }),
    [
      say("lastDelivery", { time: item.lastDeliveryAt ? brief(item.lastDeliveryAt) : "–" }),
      item.pending && say("pendingN", { n: item.pending, time: lasting(item.lagSeconds) }),
      item.parked && say("parkedN", { n: item.parked }),
      item.pendingReads && say("readsN", { n: item.pendingReads }),
      item.pendingWrites && say("writesN", { n: item.pendingWrites }),
    ]
      .filter(Boolean)
      .join(" · "),
    item.refusedCount && item.lastRefusedAt && say("refusedN", { n: item.refusedCount, time: exact(item.lastRefusedAt) }),
    item.formerSecretUntil && say("formerUntil", { time: exact(item.formerSecretUntil) }),
  ],
  create: creating("createConnection", { document: COMMANDS.createConnection, fields: creationFields, done: made }),
  actions: [
    showing("showParked", PARKED, { isMain: true, isShown: ({ parked }) => parked > 0 }),
    showing("showFailing", FAILING, { isMain: true, isShown: ({ failingReads }) => failingReads.totalCount > 0 }),
    commanding("pauseConnection", { document: COMMANDS.pauseConnection, isMain: true, isShown: ({ paused }) => !paused }),
    commanding("resumeConnection", { document: COMMANDS.resumeConnection, isMain: true, isShown: ({ paused }) => paused }),
    commanding("testConnection", { document: COMMANDS.testConnection, isMain: true, done: tested }),
    editing("editConnection", { document: COMMANDS.updateConnection, fields: changeFields }),
    commanding("replayParked", { document: COMMANDS.replayParked, isShown: ({ parked }) => parked > 0 }),
    commanding("retryReads", { document: COMMANDS.retryReads, isShown: ({ failingReads }) => failingReads.totalCount > 0 }),
    asking("allowMissing", {
      document: COMMANDS.updateConnection,
      fields: (_, { missing }) => [numberField("allowMissing", say("allowMissing"), missing, { min: 1, max: MOST_MISSING, isRequired: true })],
      input: ({ version }) => ({ ifVersion: version }),
      isShown: ({ missing }) => missing > 0,
    }),
    asking("rotateConnection", {
      document: COMMANDS.rotateConnectionSecret,
      fields: () => [numberField("formerForSeconds", say("formerFor"), A_DAY, { min: 0, max: 7 * A_DAY, isRequired: true, hint: say("formerForHint") })],
      isDanger: false,
      done: rotated,
    }),
    asking("deleteConnection", { document: COMMANDS.deleteConnection }),
  ],
};
