// The menu of those to whom an interaction can be assigned.

import { fill, h, keep, words } from "../view/dom.js";
import { say } from "../view/language.js";
import { menuOf } from "../view/menu.js";
import { sayRefusal } from "../view/saying.js";

const PAUSE = 200; // milliseconds without a key before the users are read

/** Fires `assign` with the id of a user, or null for nobody. `open` and `viewer` are given before it is in the page. */
export class Assign extends HTMLElement {
  open;
  viewer;
  #menu;
  #field;
  #list = h("ul", {});
  #hint = h("p", { class: "faint small menu-hint", role: "status" });
  #timer = 0;
  #asked = 0;

  connectedCallback() {
    this.#field = h("input", { type: "search", "aria-label": say("findUser"), placeholder: say("findUser"), oninput: () => this.#later() });
    this.#list.setAttribute("role", "list");
    this.#menu = menuOf(say("do.assign"), "assign", [this.#field, this.#hint, this.#list], () => {
      this.#field.value = "";
      this.#field.focus();
      this.#read();
    });
    this.#menu.addEventListener("keydown", (event) => this.#move(event));
    this.replaceChildren(this.#menu);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  show() {
    this.#menu.open = true;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), PAUSE);
  }

  async #read() {
    const asked = ++this.#asked;
    const search = this.#field.value.trim();
    if (!this.#list.children.length) this.#hint.textContent = say("loading");
    let found;
    try {
      found = await this.open.assignable(search);
    } catch (error) {
      if (asked === this.#asked) this.#hint.textContent = sayRefusal(error);
      return;
    }
    if (asked !== this.#asked) return;
    this.#draw(found, search);
  }

  #draw({ nodes, pageInfo }, search) {
    const { assignee } = this.open.head;
    const me = this.viewer.user.id;
    const free = nodes.filter(({ id }) => id !== assignee?.id);
    const choices = [
      ...free.filter(({ id }) => id === me),
      ...free.filter(({ id }) => id !== me),
      ...(assignee && !search ? [{ id: null }] : []),
    ];
    keep(this.#list, choices, ({ id }) => id ?? "nobody", () => this.#entry());
    this.#hint.textContent = free.length ? (pageInfo.hasNextPage ? say("moreUsers") : "") : say("noUsers");
  }

  #entry() {
    const entry = h("li", {});
    entry.update = ({ id, name, presence }) => {
      const { assignee } = this.open.head;
      const taking = assignee ? say("takeFrom", { name: assignee.name }) : say("toMe");
      const text = id === null ? say("toNobody") : id === this.viewer.user.id ? taking : name;
      const present = presence && h("span", { class: "presence faint small", "data-present": String(presence.present) }, say(presence.present ? "present" : "absent"));
      fill(entry, h("button", { type: "button", class: "menu-entry", onclick: () => this.#choose(id) }, words(text), present));
    };
    return entry;
  }

  #choose(id) {
    this.#menu.open = false;
    this.#menu.querySelector("summary").focus();
    this.dispatchEvent(new CustomEvent("assign", { detail: id }));
  }

  #move(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const stops = [this.#field, ...this.#list.querySelectorAll("button")];
    const place = stops.indexOf(document.activeElement) + by;
    event.preventDefault();
    event.stopPropagation();
    stops[Math.min(Math.max(place, 0), stops.length - 1)].focus();
  }
}
