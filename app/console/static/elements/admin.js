// The administration: the parts that the viewer may see, one at a time.

import { noticesOf } from "../view/notices.js";
import { openDialog } from "../view/dialog.js";
import { h } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { partsOf } from "./admin/parts.js";

/** The page at `/admin`. `session` is given before it is in the page. */
export class Admin extends HTMLElement {
  session;
  #parts;
  #links;
  #place = h("div", { class: "part" });
  #notices = noticesOf();
  #shown = null;

  connectedCallback() {
    const bar = Object.assign(document.createElement("switchboard-top-bar"), { session: this.session });
    this.#parts = partsOf(this.session.viewer);
    document.title = `${say("admin")} · Switchboard`;
    if (!this.#parts.length) {
      const nothing = h("div", { class: "empty" }, h("strong", {}, say("adminNothing")), h("p", {}, say("adminNothingHint")));
      this.replaceChildren(bar, h("main", { class: "admin-nothing" }, nothing));
      return;
    }
    this.#links = this.#parts.map(({ name }) => h("a", { href: `#${name}` }, sayValue("part", name)));
    this.replaceChildren(
      bar,
      h(
        "div",
        { class: "admin" },
        h("nav", { class: "parts", "aria-label": say("admin") }, h("ul", { role: "list" }, this.#links.map((link) => h("li", {}, link)))),
        h("main", { class: "part-place", tabIndex: 0 }, this.#place),
      ),
      this.#notices,
    );
    addEventListener("hashchange", this);
    this.#show();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this);
  }

  handleEvent() {
    this.#show();
    this.#place.firstElementChild.focus();
  }

  #show() {
    const name = location.hash.slice(1);
    const part = this.#parts.find((each) => each.name === name) ?? this.#parts[0];
    if (part === this.#shown) return;
    this.#shown = part;
    this.#parts.forEach((each, place) => {
      if (each === part) this.#links[place].setAttribute("aria-current", "page");
      else this.#links[place].removeAttribute("aria-current");
    });
    this.#place.replaceChildren(this.#elementOf(part, null));
  }

  #elementOf(part, parent) {
    const { graph, viewer } = this.session;
    const tools = {
      graph,
      viewer,
      place: this,
      tell: (text) => this.#notices.tell(text),
      open: (inner, item) => openDialog(this, say("actOn", { what: sayValue("part", inner.name), name: part.title(item) }), this.#elementOf(inner, item)),
    };
    return Object.assign(document.createElement("switchboard-part"), { part, parent, tools });
  }
}
