// The search for an interaction: a field, and what it finds.

import { SEARCH } from "../graph/documents.js";
import { h, keep, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { kindOf, nameOf, sayRefusal } from "../view/saying.js";
import { brief } from "../view/times.js";

const PAUSE = 250; // milliseconds without a key before it is searched

/** Fires `change` when it begins and ends to show results. `graph` is given before it is in the page. */
export class Search extends HTMLElement {
  graph;
  #field;
  #list = h("ul", { class: "rows results" });
  #status = h("p", { class: "faint small search-status", role: "status" });
  #nodes = [];
  #timer = 0;
  #asked = 0;

  connectedCallback() {
    this.#field = h("input", { type: "search", "aria-label": say("search"), placeholder: say("search"), oninput: () => this.#input() });
    this.#list.setAttribute("role", "list");
    this.#list.setAttribute("aria-label", say("found"));
    this.addEventListener("keydown", (event) => this.#press(event));
    this.replaceChildren(h("search", {}, this.#field), this.#status, this.#list);
    this.#show([], "");
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked++;
  }

  /** Whether it shows results, or that there are none. */
  get isOpen() {
    return Boolean(this.#field?.value.trim());
  }

  /** The interaction found that has the focus, or null. */
  get current() {
    const key = this.#list.contains(document.activeElement) ? document.activeElement.closest("li").dataset.key : null;
    return this.#nodes.find(({ id }) => id === key) ?? null;
  }

  write() {
    this.#field.focus();
    this.#field.select();
  }

  /** Moves the focus by so many, from the field on. */
  move(by) {
    const stops = [this.#field, ...this.#list.querySelectorAll("a")];
    const place = stops.indexOf(document.activeElement) + by;
    stops[Math.min(Math.max(place, 0), stops.length - 1)].focus();
  }

  #press(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && this.isOpen) {
      this.#field.value = "";
      this.#input();
      this.#field.focus();
    } else if (by) this.move(by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #input() {
    clearTimeout(this.#timer);
    this.#asked++;
    if (!this.isOpen) this.#show([], "");
    else this.#timer = setTimeout(() => this.#find(this.#field.value.trim()), PAUSE);
    this.dispatchEvent(new Event("change"));
  }

  async #find(text) {
    const asked = ++this.#asked;
    this.#status.textContent = say("searching");
    try {
      const { searchInteractions: found } = await this.graph.query(SEARCH, { text });
      if (asked !== this.#asked) return;
      const more = found.pageInfo.hasNextPage;
      this.#show(found.nodes, found.nodes.length ? say(more ? "foundFirst" : "foundN", { n: found.nodes.length }) : say("foundNone"));
    } catch (error) {
      if (asked === this.#asked) this.#show([], sayRefusal(error));
    }
  }

  #show(nodes, status) {
    this.#nodes = nodes;
    keep(this.#list, nodes, ({ id }) => id, makeResult);
    this.#status.textContent = status;
    this.#status.hidden = !status;
  }
}

function makeResult() {
  const name = words("", "span", "row-name");
  const time = h("span", { class: "row-time" });
  const text = words("", "span", "row-text");
  const kind = words("", "span", "row-kind");
  const state = h("span", { class: "faint small" });
  const link = h("a", { class: "row" }, h("span", { class: "row-line" }, name, time), text, h("span", { class: "row-line row-foot" }, kind, state));
  const row = h("li", {}, link);
  row.update = (node) => {
    link.setAttribute("href", `#open=${node.id}`);
    name.textContent = nameOf(node);
    time.textContent = node.latestMessageAt ? brief(node.latestMessageAt) : "";
    text.textContent = node.latestMessage?.text ?? "";
    kind.textContent = kindOf(node);
    state.textContent = sayValue("state", node.state);
    if (node.attention.needed) row.dataset.level = node.attention.level;
    else delete row.dataset.level;
  };
  return row;
}
