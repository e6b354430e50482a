// Destinations of alerts: how they stand, and what came of each delivery.

import { COMMANDS, DESTINATION_CHANGES, LISTS } from "../../graph/administration.js";
import { may, mayAll } from "../../models/rights.js";
import { openDialog, showSecret } from "../../view/dialog.js";
import { h, words } from "../../view/dom.js";
import { areaField, jsonField, momentField, numberField, selectField, textField } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";
import { brief, exact } from "../../view/times.js";
import { asking, commanding, creating, editing, finished, showing } from "./actions.js";

const TYPES = ["SLACK", "TEAMS", "PAGERDUTY", "EMAIL", "WEB_PUSH", "WEBHOOK"];
const WITH_SECRET = ["PAGERDUTY", "WEB_PUSH"];
const TONES = { ACTIVE: "good", PAUSED: "warn", STOPPED: "bad" };
const RESULTS = { DELIVERED: "good", PENDING: "warn", GIVEN_UP: "bad" };

const name = (item) => textField("name", say("name"), item?.name, { isRequired: true });
const address = (value) => textField("address", say("address"), value, { isRequired: true, hint: say("destinationAddressHint"), maxLength: 2048 });
const secret = (hint) => textField("secret", say("destinationSecret"), "", { hint, type: "password", maxLength: 1024 });
const webhook = (item) => [
  areaField("document", say("document"), item?.document, { empty: null, hint: say("documentHint"), rows: 4 }),
  jsonField("variables", say("variables"), item?.document ? item.variables : null),
  numberField("mostInFlight", say("mostInFlight"), item?.mostInFlight ?? 4, { min: 1, max: 32, isRequired: true }),
];

function creationFields() {
  const hidden = secret(say("destinationSecretHint"));
  const ofWebhook = webhook();
  const show = (type) => {
    hidden.element.hidden = !WITH_SECRET.includes(type);
    for (const { element } of ofWebhook) element.hidden = type !== "WEBHOOK";
  };
  const types = selectField("type", say("type"), "SLACK", TYPES.map((each) => [each, sayValue("destinationType", each)]), { changed: show });
  show("SLACK");
  return [name(), types, address(""), hidden, ...ofWebhook];
}

const changeFields = (_, item) => [
  name(item),
  address(item.address),
  ...(WITH_SECRET.includes(item.type) ? [secret(say("credentialKept"))] : []),
  ...(item.type === "WEBHOOK" ? webhook(item) : []),
];

// Who chooses the address chooses who reads: its owner, or an admin.
const isOwn = ({ owner }, { viewer }) => owner.id === viewer.user.id || mayAll(viewer);

function made(payload, tools, values) {
  if (payload.secret) showSecret(tools.place, { title: say("secretOf", { name: values.name }), secret: payload.secret });
  else tools.tell(say("doneWith", { what: sayValue("act", "createDestination"), name: values.name }));
}

async function rotated(tools, action, item, payload) {
  await finished(tools, action, item);
  showSecret(tools.place, { title: say("secretOf", { name: item.name }), secret: payload.secret });
}

const sayResult = ({ status, httpStatus, latencyMs, fault }) =>
  [sayValue("deliveryStatus", status), httpStatus && say("answered", { n: httpStatus }), say("tookMs", { n: latencyMs }), fault].filter(Boolean).join(" · ");

async function tested(tools, action, item, { delivery }) {
  await finished(tools, action, item);
  const title = say("actOn", { what: sayValue("act", action), name: item.name });
  openDialog(tools.place, title, h("p", {}, sayResult(delivery)), delivery.excerpt && h("pre", { dir: "auto", tabIndex: 0 }, delivery.excerpt));
}

const DELIVERIES = {
  name: "deliveries",
  list: { document: LISTS.deliveries, of: ({ deliveries }) => deliveries, variables: ({ id }) => ({ id }), changes: DESTINATION_CHANGES },
  title: ({ isTest, topic, firstAttemptAt }) => `${isTest ? say("test") : topic ? sayValue("topic", topic) : "–"} · ${brief(firstAttemptAt)}`,
  badges: ({ status }) => [{ text: sayValue("deliveryStatus", status), tone: RESULTS[status] }],
  facts: (item) => [
    [item.policy?.name, item.interaction?.id, say("attemptsN", { n: item.attempts }), item.httpStatus && say("answered", { n: item.httpStatus }), say("tookMs", { n: item.latencyMs })]
      .filter(Boolean)
      .join(" · "),
    item.fault && h("p", { class: "fault", lang: "en" }, item.fault),
    item.nextAttemptAt && say("nextAttempt", { time: exact(item.nextAttemptAt) }),
    item.excerpt && h("details", {}, h("summary", {}, say("answer")), h("pre", { dir: "auto", tabIndex: 0 }, item.excerpt)),
  ],
  actions: [
    asking("replayFrom", {
      document: COMMANDS.replayDestination,
      input: ({ firstAttemptAt }, { parent }) => ({ id: parent.id, time: firstAttemptAt }),
      isShown: ({ isTest, status }, tools) => !isTest && status !== "DELIVERED" && isOwn(tools.parent, tools),
      isDanger: false,
    }),
  ],
};

export const DESTINATIONS = {
  name: "destinations",
  isFor: (viewer) => may(viewer, "DESTINATIONS_MANAGE"),
  list: { document: LISTS.destinations, of: ({ destinations }) => destinations, changes: DESTINATION_CHANGES },
  title: (item) => item.name,
  badges: ({ state, type, failingSince }) => [
    { text: sayValue("destinationState", state), tone: TONES[state] },
    failingSince && state === "ACTIVE" && { text: say("failing"), tone: "bad" },
    { text: sayValue("destinationType", type) },
  ],
  facts: (item) => [
    item.reason && h("p", { class: item.reason === "REQUESTED" ? "faint" : "fault" }, sayValue("destinationReason", item.reason)),
    item.message && h("p", { class: "small", lang: "en", dir: "auto" }, item.message),
    words(item.address, "p", "faint"),
    [
      say("ownerIs", { name: item.owner.name }),
      say("lastDelivered", { time: item.deliveredAt ? brief(item.deliveredAt) : "–" }),
      item.failingSince && say("failingSince", { time: exact(item.failingSince) }),
    ]
      .filter(Boolean)
      .join(" · "),
    item.formerUntil && say("formerUntil", { time: exact(item.formerUntil) }),
  ],
  create: creating("createDestination", { document: COMMANDS.createDestination, fields: creationFields, done: made }),
  actions: [
    showing("showDeliveries", DELIVERIES, { isMain: true }),
    commanding("pauseDestination", { document: COMMANDS.pauseDestination, isMain: true, isShown: ({ state }) => state === "ACTIVE" }),
    commanding("resumeDestination", { document: COMMANDS.resumeDestination, isMain: true, isShown: ({ state }) => state !== "ACTIVE" }),
    commanding("testDestination", { document: COMMANDS.testDestination, isMain: true, done: tested }),
    editing("editDestination", { document: COMMANDS.updateDestination, fields: changeFields, isShown: isOwn }),
    asking("replayDestination", {
      document: COMMANDS.replayDestination,
      fields: () => [momentField("time", say("since"), null, { isRequired: true, hint: say("sinceHint") })],
      isShown: isOwn,
      isDanger: false,
    }),
    asking("rotateDestination", {
      document: COMMANDS.rotateDestinationSecret,
      isShown: (item, tools) => item.type === "WEBHOOK" && isOwn(item, tools),
      isDanger: false,
      done: rotated,
    }),
    asking("deleteDestination", { document: COMMANDS.deleteDestination }),
  ],
};
