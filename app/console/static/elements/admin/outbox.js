// What other systems refused, or may not have got: the interactions that it is about, and what to do with each of it.

import { COMMANDS, LISTS, OUTBOX_CHANGES } from "../../graph/administration.js";
import { writes } from "../../models/rights.js";
import { h, words } from "../../view/dom.js";
import { say, sayValue } from "../../view/language.js";
import { nameOf } from "../../view/saying.js";
import { exact } from "../../view/times.js";
import { asking, showing } from "./actions.js";

const TONES = { REFUSED: "bad", UNCERTAIN: "warn" }; // those that wait for a human
const OF_SYNC = ["SYNC_REFUSED", "SYNC_UNCERTAIN"];

const isStuck = ({ state }, { parent }) => state in TONES && parent.viewerCan.label;

const ENTRIES = {
  name: "outboxEntries",
  list: {
    document: LISTS.outboxEntries,
    of: ({ interaction }) => interaction?.upstream?.entries,
    variables: ({ id }) => ({ id }),
    changes: OUTBOX_CHANGES,
  },
  title: ({ action }) => action,
  badges: ({ state }) => [{ text: sayValue("entryState", state), tone: TONES[state] }],
  facts: ({ lastError, aboutMessage, user, createdAt, attempts, deadline }) => [
    lastError && h("p", { class: "fault", lang: "en", dir: "auto" }, lastError),
    aboutMessage?.text && words(aboutMessage.text, "p", "small"),
    [user?.name, exact(createdAt), say("attemptsN", { n: attempts }), say("triedUntil", { time: exact(deadline) })].filter(Boolean).join(" · "),
  ],
  actions: [
    asking("retryEntry", { document: COMMANDS.retryOutboxEntry, isShown: isStuck, isDanger: false }),
    asking("dropEntry", { document: COMMANDS.dropOutboxEntry, isShown: isStuck }),
  ],
};

export const OUTBOX = {
  name: "outbox",
  isFor: writes,
  list: { document: LISTS.outbox, of: ({ attentionQueue }) => attentionQueue, changes: OUTBOX_CHANGES },
  title: (item) => `${nameOf(item)} · ${item.id}`,
  badges: ({ kind, attention: { reasons } }) => [
    { text: sayValue("kind", kind) },
    ...reasons.filter((each) => OF_SYNC.includes(each)).map((each) => ({ text: sayValue("reason", each), tone: TONES[each.slice(5)] })),
  ],
  facts: ({ attention, upstream }) => [
    upstream?.error && h("p", { class: "fault", lang: "en", dir: "auto" }, upstream.error),
    [upstream?.name, exact(attention.since), upstream?.pending && say("writesN", { n: upstream.pending })].filter(Boolean).join(" · "),
  ],
  actions: [showing("showEntries", ENTRIES, { isMain: true })],
};
