// The settings in force, and where each is from.

import { LISTS } from "../../graph/administration.js";
import { may } from "../../models/rights.js";
import { h } from "../../view/dom.js";
import { say, sayValue } from "../../view/language.js";

const ALL = { hasNextPage: false, endCursor: null };

// Names and values of settings are no words: they are read from left to right in every language.
const code = (text) => h("code", { dir: "ltr" }, text);

// Descriptions are Markdown, of which they use code and links to pages that are not served here.
const described = (text) => text.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1").split("`").map((part, place) => (place % 2 ? code(part) : part));

function valueOf({ value, isSecret, isSet }) {
  if (isSecret) return say(isSet ? "secretSet" : "notSet");
  return value === null ? say("notSet") : code(value);
}

export const SETTINGS = {
  name: "settings",
  isFor: (viewer) => may(viewer, "SETTINGS_READ"),
  list: { document: LISTS.settings, of: ({ settings }) => ({ nodes: settings.map((each) => ({ ...each, id: each.name })), pageInfo: ALL }) },
  title: ({ name }) => name,
  badges: ({ source }) => [source !== "DEFAULT" && { text: sayValue("settingSource", source), tone: "strong" }],
  facts: (item) => [h("p", { class: "setting-value" }, valueOf(item)), h("p", { class: "faint small", lang: "en" }, described(item.description))],
};
