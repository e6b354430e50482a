// What is said about people, interactions and refusals, wherever they are shown.

import { say, sayValue } from "./language.js";
import { brief } from "./times.js";

/** The name by which a customer is shown. */
export function nameOf({ customer, customerName }) {
  return customer?.name || customerName || customer?.displayId || customer?.phoneNumber || say("unknown");
}

/** The kind of an interaction, with what it came over. */
export function kindOf({ kind, channel, topic }) {
  const more = topic?.name ?? (channel && sayValue("channel", channel));
  return [sayValue("kind", kind), more].filter(Boolean).join(" · ");
}

/** Who works on it: a sentence, or null for nobody. */
export function holderOf({ assignee }, viewer) {
  if (!assignee) return null;
  return assignee.id === viewer.user.id ? say("heldByYou") : say("heldBy", { name: assignee.name });
}

/** Why something has left the queue, from the item that told of it and the interaction as it was. */
export function whyLeft({ was, item }) {
  const now = item.interaction;
  const name = item.actor?.name ?? say("somebody");
  if (!now) return say("left.gone");
  if (now.state === "CLOSED") return say("left.closed", { name });
  if (now.state === "SNOOZED") return say("left.snoozed", { name });
  if (!now.attention.needed) {
    const isAnswered = now.latestMessage?.author === "USER" && now.latestMessage.id !== was.latestMessage?.id;
    return isAnswered ? say("left.answered", { name }) : say("left.settled");
  }
  if (now.assignee && now.assignee.id !== was.assignee?.id) return say("left.taken", { name: now.assignee.name });
  return say("left.filter");
}

/** A change of a field, from history: its name, and its value before and after; null where neither is kept. */
export function sayChange({ field, before, after, beforeNode, afterNode }) {
  if (before === null && after === null) return null;
  const value = (text, node) => node?.name ?? (TIME.test(text) ? brief(text) : text || "–");
  const name = field.replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `${sayValue("field", name)}: ${value(before, beforeNode)} → ${value(after, afterNode)}`;
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** What was refused, for people: kindly where we know the code, and else in the server's words. */
export function sayRefusal({ code, message, more }) {
  if (code === "ALREADY_CLAIMED") {
    const values = { name: more.claimedBy?.name ?? say("somebody"), time: more.claimedUntil && brief(more.claimedUntil) };
    return say(more.claimedUntil ? "refused.ALREADY_CLAIMED_UNTIL" : "refused.ALREADY_CLAIMED", values);
  }
  return KNOWN.includes(code) ? say(`refused.${code}`) : message;
}

const KNOWN = [
  "VERSION_CONFLICT",
  "NEWER_MESSAGE",
  "UNREACHABLE",
  "FORBIDDEN",
  "UNAUTHENTICATED",
  "RATE_LIMITED",
];
