// Times as a person reads them: in their zone and language, and ticking.

import { language, say } from "./language.js";

const TICK = 1_000;
const tickers = new Set();

setInterval(() => {
  for (const ticker of tickers) {
    if (ticker.isConnected) ticker.tick();
    else tickers.delete(ticker);
  }
}, TICK);

/** Whole seconds as "45 s", "12 min", "3 h 05" or "2 d". */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return say("seconds", { n: whole });
  if (whole < 3600) return say("minutes", { n: Math.floor(whole / 60) });
  if (whole < 86_400) return say("hours", { n: Math.floor(whole / 3600), m: String(Math.floor(whole / 60) % 60).padStart(2, "0") });
  return say("days", { n: Math.floor(whole / 86_400) });
}

const format = (options) => new Intl.DateTimeFormat(language(), options);

/** The hour and minute of a time. */
export function clock(text) {
  const at = new Date(text);
  return format({ hour: "2-digit", minute: "2-digit" }).format(at);
}

export const day = (text) => format({ weekday: "long", day: "numeric", month: "long" }).format(new Date(text));
export const full = (text) => format({ dateStyle: "full", timeStyle: "medium" }).format(new Date(text));
export const exact = (text) => format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
export const brief = (text) =>
  isToday(text) ? clock(text) : format({ day: "numeric", month: "short" }).format(new Date(text));

export const isSameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();
const isToday = (text) => isSameDay(text, Date.now());

/** Has an element say again and again what `text()` gives, for as long as it is in the page. */
export function ticking(element, text) {
  element.tick = () => {
    const now = text();
    if (element.textContent !== now) element.textContent = now;
  };
  element.tick();
  tickers.add(element);
  return element;
}

/** How long ago something began. */
export const since = (text) => lasting((Date.now() - Date.parse(text)) / 1000);

/** How long it is until then. */
export const until = (text) => lasting((Date.parse(text) - Date.now()) / 1000);
