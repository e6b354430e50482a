// The menu of emoji with which somebody reacts to a message.

import { h } from "./dom.js";
import { say } from "./language.js";
import { menuOf } from "./menu.js";

const EMOJI = { "👍": "thumbsUp", "❤️": "heart", "😂": "laughter", "😮": "surprise", "😢": "sadness", "🙏": "thanks" };

/** A menu of emoji; `choose` is called with one, or null where the one that is there is taken back. */
export function reactionMenu({ text, agentReaction }, choose) {
  const buttons = Object.entries(EMOJI).map(([emoji, name]) =>
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": say(`emoji.${name}`),
        "aria-pressed": String(emoji === agentReaction),
        onclick: () => choose(emoji === agentReaction ? null : emoji),
      },
      emoji,
    ),
  );
  // One that is none of these can be taken back, too.
  const other = agentReaction && !(agentReaction in EMOJI) && h("button", { type: "button", class: "quiet small", onclick: () => choose(null) }, say("takeBack"));
  const menu = menuOf(h("span", { "aria-hidden": "true" }, "☺"), "react", [buttons, other], () => menu.scrollIntoView({ block: "nearest" }));
  menu.classList.add("react");
  menu.querySelector("summary").setAttribute("aria-label", say("reactTo", { text: text?.slice(0, 60) ?? "" }));
  return menu;
}

/** Makes the menus of a place one stop of the Tab key: the arrows go from one to the next. `event` is a key, or null. */
export function moveAmongMenus(place, event = null) {
  const stops = [...place.querySelectorAll(".react > summary")];
  const at = stops.indexOf(document.activeElement);
  const by = { ArrowDown: 1, ArrowUp: -1 }[event?.key] ?? 0;
  if (event && (at < 0 || !by)) return;
  const next = stops[Math.min(Math.max(at < 0 ? stops.length - 1 : at + by, 0), stops.length - 1)];
  for (const stop of stops) stop.tabIndex = stop === next ? 0 : -1;
  if (!event) return;
  event.preventDefault();
  next.focus();
}
