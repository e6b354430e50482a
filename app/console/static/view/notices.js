// Short messages at the foot of the page, which go away by themselves.

import { h } from "./dom.js";
import { say } from "./language.js";

const LASTS = 8_000;
const MOST = 5;

/** The place of the messages; `tell(text, href)` adds one, which leads to the address when there is one. */
export function noticesOf() {
  const place = h("div", { class: "notices", role: "status", "aria-live": "polite" });
  place.tell = (text, href = null) => {
    const remove = () => notice.remove();
    const notice = h(
      "div",
      { class: "notice" },
      href ? h("a", { href }, text) : h("span", { dir: "auto" }, text),
      h("button", { type: "button", class: "quiet", "aria-label": say("dismiss"), onclick: remove }, "×"),
    );
    place.append(notice);
    while (place.children.length > MOST) place.firstElementChild.remove();
    setTimeout(remove, LASTS);
  };
  return place;
}
