// The history of an interaction: who did what, and when.

import { fill, h, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { sayChange, sayRefusal } from "../view/saying.js";
import { brief, full } from "../view/times.js";

/** A dialog above the page. `show(open)` shows the history of an interaction, the newest first, and follows it. */
export class History extends HTMLElement {
  #dialog;
  #list = h("ol", { class: "history" });
  #hint = h("p", { class: "faint small", role: "status" });
  #more;
  #open = null;
  #version = null;
  #next = null;
  #asked = 0;

  connectedCallback() {
    this.#list.setAttribute("role", "list");
    this.#more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#read(this.#next) }, say("earlierHistory"));
    const close = h("button", { type: "button", class: "primary", onclick: () => this.#dialog.close() }, say("close"));
    this.#dialog = h(
      "dialog",
      { class: "help wide", "aria-label": say("history"), onclose: () => this.#leave() },
      h("div", { class: "dialog-head" }, h("h2", {}, say("history")), close),
      this.#hint,
      this.#list,
      this.#more,
    );
    this.replaceChildren(this.#dialog);
  }

  get isShown() {
    return this.#dialog.open;
  }

  show(open) {
    if (!open.head) return;
    this.#open = open;
    open.addEventListener("change", this);
    this.#list.replaceChildren();
    this.#dialog.showModal();
    this.#read(null);
  }

  handleEvent() {
    if (this.#open.head?.version !== this.#version) this.#read(null);
  }

  #leave() {
    this.#open.removeEventListener("change", this);
    this.#open = null;
    this.#asked++;
    this.#list.replaceChildren();
  }

  async #read(after) {
    const asked = ++this.#asked;
    this.#version = this.#open.head.version;
    if (!this.#list.children.length) this.#hint.textContent = say("loading");
    try {
      const { nodes, pageInfo } = await this.#open.history(after);
      if (asked !== this.#asked) return;
      const entries = nodes.map(entryOf);
      if (after) this.#list.append(...entries);
      else this.#list.replaceChildren(...entries);
      this.#next = pageInfo.endCursor;
      this.#more.hidden = !pageInfo.hasNextPage;
      this.#hint.textContent = "";
    } catch (error) {
      if (asked === this.#asked) this.#hint.textContent = sayRefusal(error);
    }
  }
}

function entryOf({ at, topic, actor, levelBefore, levelAfter, message, note, changes }) {
  const levels = levelBefore !== levelAfter && [levelBefore, levelAfter].map((level) => (level ? sayValue("level", level) : "–"));
  const text = note?.text ?? message?.text;
  return fill(
    h("li", {}),
    h("div", { class: "row-line" }, h("strong", {}, sayValue("topic", topic)), h("time", { class: "faint small", datetime: at, title: full(at) }, brief(at))),
    actor ? words(actor.name, "div", "small") : null,
    levels ? h("div", { class: "small faint" }, `${levels[0]} → ${levels[1]}`) : null,
    text ? words(text, "div", "row-text") : null,
    changes.map(sayChange).filter(Boolean).map((text) => words(text, "div", "small faint")),
  );
}
