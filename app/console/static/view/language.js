// The language of the page, and what it says in it.

import { LANGUAGES, TEXTS } from "./texts.js";

const KEPT = "switchboard.language";

const wanted = [localStorage.getItem(KEPT), ...navigator.languages].map((tag) => tag?.slice(0, 2));
let current = wanted.find((tag) => tag in LANGUAGES) ?? "en";
document.documentElement.lang = current;

export const language = () => current;

/** Speaks another language from now on; the page is drawn anew by who calls. */
export function speak(tag) {
  current = tag in LANGUAGES ? tag : "en";
  localStorage.setItem(KEPT, current);
  document.documentElement.lang = current;
}

/** The text of a name of the catalogue, with its places filled: `{n}` by `values.n`. */
export function say(name, values = {}) {
  const text = TEXTS[name][Object.keys(LANGUAGES).indexOf(current)];
  return text.replace(/\{(\w+)\}/g, (_, place) => values[place] ?? "");
}

/** The text of a value of an enum, such as a reason; one that this page does not know is said by its own name. */
export function sayValue(group, value) {
  const name = `${group}.${value}`;
  if (name in TEXTS) return say(name);
  return value.toLowerCase().replaceAll("_", " ");
}
