// The field in which the opening hours of a week are given.

import { h } from "./dom.js";
import { fieldOf } from "./fields.js";
import { say, sayValue } from "./language.js";

export const WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/** Opening hours: each a day, and the times at which it opens and closes. */
export function hoursField(name, label, hours, { hint } = {}) {
  const list = h("ul", { class: "hours", role: "list" });
  const add = h("button", { type: "button", onclick: () => put({ day: next(), opens: "08:00", closes: "16:00" }, true) }, say("hoursAdd"));

  // The day after the last that is there, so that a week is written quickly.
  function next() {
    const last = [...list.querySelectorAll("select")].at(-1)?.value;
    return WEEKDAYS[(WEEKDAYS.indexOf(last) + 1) % WEEKDAYS.length];
  }

  function put({ day, opens, closes }, isNew) {
    const days = h("select", { "aria-label": say("day") }, WEEKDAYS.map((each) => h("option", { value: each, selected: each === day }, sayValue("weekday", each))));
    const time = (text, value) => h("input", { type: "time", value, required: true, "aria-label": text });
    const entry = h(
      "li",
      {},
      days,
      time(say("opens"), opens),
      h("span", { "aria-hidden": "true" }, "–"),
      time(say("closes"), closes),
      h("button", { type: "button", class: "quiet", "aria-label": say("hoursRemove"), onclick: () => {
        entry.remove();
        add.focus();
      } }, "×"),
    );
    list.append(entry);
    if (isNew) days.focus();
  }

  for (const each of hours) put(each, false);
  const read = () =>
    [...list.children].map((entry) => {
      const [opens, closes] = [...entry.querySelectorAll("input")].map((input) => input.value);
      return { day: entry.querySelector("select").value, opens, closes };
    });
  const check = () => (read().some(({ opens, closes }) => !opens || !closes) ? say("hoursIncomplete") : null);
  return fieldOf(name, label, h("div", {}, list, add), { hint, isGroup: true, read, check, focus: () => add.focus() });
}
