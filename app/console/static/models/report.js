// Reports: what is asked for, as the address keeps it, and the answer.

import { REPORT } from "../graph/documents.js";

/** The times that a report may be for, in days. */
export const RANGES = ["1", "7", "30", "90", "365", "own"];
/** By what it may be grouped. */
export const GROUPINGS = ["DAY", "HOUR_OF_DAY", "MONTH", "KIND", "TEAM", "USER"];
/** What its chart may show: the path in the figures. */
export const MEASURES = [
  "answeredCount",
  "firstResponse.p50Seconds",
  "firstResponse.p90Seconds",
  "nextResponse.p90Seconds",
  "waiting.p90Seconds",
  "resolution.p50Seconds",
  "botResponse.count",
  "missedCount",
];
export const KINDS = ["SESSION", "AGENT_SESSION", "CHAT_SESSION", "CONVERSATION"];

const FIRST = { range: "30", by: "DAY", measure: "answeredCount", kind: "", from: "", to: "" };
const ALLOWED = { range: RANGES, by: GROUPINGS, measure: MEASURES, kind: ["", ...KINDS] };

/** What is asked for, as the address has it after `#`; what it does not say is as at first. */
export function asked() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = { ...FIRST };
  for (const name of Object.keys(FIRST)) {
    const value = given.get(name);
    if (value !== null && (ALLOWED[name]?.includes(value) ?? /^\d{4}-\d\d-\d\d$/.test(value))) found[name] = value;
  }
  return found;
}

/** Keeps in the address what is asked for, as far as it differs from what is at first. */
export function keepAsked(wanted) {
  const different = Object.entries(wanted).filter(([name, value]) => value !== FIRST[name]);
  const text = new URLSearchParams(different).toString();
  history.replaceState(null, "", location.pathname + (text && `#${text}`));
}

/** The first and the last day, as inputs of dates have them. */
export function days({ range, from, to }) {
  const today = dayOf(new Date());
  if (range === "own") return { from: from || today, to: to || today };
  const first = new Date();
  first.setDate(first.getDate() - Number(range) + 1);
  return { from: dayOf(first), to: today };
}

const dayOf = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");

/** The report that is asked for. Throws Refused. */
export async function reportOf(graph, wanted) {
  const { from, to } = days(wanted);
  const until = new Date(`${to}T00:00`);
  until.setDate(until.getDate() + 1);
  const { report } = await graph.query(REPORT, {
    since: new Date(`${from}T00:00`).toISOString(),
    until: until.toISOString(),
    by: wanted.by,
    zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    filter: wanted.kind ? { kinds: [wanted.kind] } : {},
  });
  return report;
}

/** The value of a measure in figures; null where nothing was measured. */
export const valueOf = (figures, measure) => measure.split(".").reduce((found, name) => found[name], figures);

/** The share of answers within their target, 0 to 1; null without any. */
export const shareOf = ({ targetedCount, withinTargetCount }) => (targetedCount ? withinTargetCount / targetedCount : null);
