// A button that opens a menu, which closes by Escape and when the focus leaves it.

import { h } from "./dom.js";

/** A menu as an element `details`. `action` names its button among the others; `opened()` is called when it opens. */
export function menuOf(text, action, body, opened = () => {}) {
  const summary = h("summary", { class: "button", "data-action": action }, text);
  const menu = h(
    "details",
    {
      class: "menu",
      onfocusout: ({ relatedTarget }) => relatedTarget && !menu.contains(relatedTarget) && (menu.open = false),
      ontoggle: () => menu.open && opened(),
      onkeydown: (event) => {
        if (event.key !== "Escape" || !menu.open) return;
        event.stopPropagation();
        menu.open = false;
        summary.focus();
      },
    },
    summary,
    h("div", { class: "menu-body" }, body),
  );
  return menu;
}
