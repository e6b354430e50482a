// Where a reply or a note is written.

import { draftOf, keepDraft } from "../models/drafts.js";
import { h } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";

/** The field below an interaction. `open` is given before it is in the page; `draw(open)` shows its state now. */
export class Composer extends HTMLElement {
  open;
  #isNote = false;
  #tabs;
  #field;
  #why;
  #button;

  connectedCallback() {
    this.#tabs = [false, true].map((isNote) =>
      h("button", { type: "button", class: "tab", onclick: () => this.write(isNote) }, say(isNote ? "note" : "reply")),
    );
    this.#why = h("p", { class: "faint small", id: "composer-why" });
    this.#field = h("textarea", {
      rows: 3,
      dir: "auto",
      "aria-describedby": "composer-why",
      oninput: () => this.#input(),
      onkeydown: (event) => this.#key(event),
    });
    this.#button = h("button", { type: "submit", class: "primary" });
    this.replaceChildren(
      h(
        "form",
        { class: "composer", onsubmit: (event) => this.#send(event) },
        h("div", { class: "tabs" }, this.#tabs),
        this.#field,
        h("div", { class: "composer-foot" }, this.#why, this.#button),
      ),
    );
    this.#restore();
  }

  /** Puts the cursor into the field, for a reply or a note. */
  write(isNote) {
    if (isNote !== this.#isNote) {
      this.#isNote = isNote;
      this.#restore();
    }
    this.draw(this.open);
    this.#field.focus();
  }

  draw({ head: { viewerCan } }) {
    const isNote = this.#isNote;
    const may = isNote ? viewerCan.note : viewerCan.reply;
    // What another user holds may be answered all the same, after a question.
    const mayTry = may || (!isNote && viewerCan.replyBlockedBy === "HELD_BY_OTHER");
    this.#tabs.forEach((tab, place) => tab.setAttribute("aria-pressed", String(Boolean(place) === isNote)));
    this.classList.toggle("is-note", isNote);
    this.#field.disabled = !mayTry;
    this.#button.disabled = !mayTry || !this.#field.value.trim();
    this.#button.textContent = say(isNote ? "saveNote" : "send");
    this.#field.placeholder = say(isNote ? "notePlaceholder" : "replyPlaceholder");
    this.#field.setAttribute("aria-label", say(isNote ? "note" : "reply"));
    const block = isNote ? (may ? null : "NOT_ALLOWED") : viewerCan.replyBlockedBy;
    const why = block ? sayValue("block", block) : say("sendHint");
    if (this.#why.textContent !== why) this.#why.textContent = why;
  }

  get #place() {
    return `${this.open.id} ${this.#isNote}`;
  }

  #restore() {
    this.#field.value = draftOf(this.#place);
  }

  #input() {
    keepDraft(this.#place, this.#field.value);
    if (!this.#isNote && this.#field.value) this.open.sayTyping();
    this.draw(this.open);
  }

  #key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#send(event);
  }

  #send(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (!text || this.#button.disabled) return;
    this.open.sending.send(text, this.#isNote);
    keepDraft(this.#place, "");
    this.#field.value = "";
    this.draw(this.open);
    this.#field.focus();
  }
}
