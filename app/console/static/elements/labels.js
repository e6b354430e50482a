// The labels of an interaction, with what sets and removes them.

import { h, keep, words } from "../view/dom.js";
import { say } from "../view/language.js";

const LONGEST = 64; // characters that the graph takes

/** Fires `add` and `remove` with a label. `known()` gives the labels to choose from. */
export class Labels extends HTMLElement {
  known = async () => [];
  #list = h("ul", { class: "labels" });
  #form;
  #field;
  #choices = h("datalist", { id: "known-labels" });
  #may = false;

  connectedCallback() {
    this.#field = h("input", {
      type: "text",
      maxLength: LONGEST,
      autocomplete: "off",
      "aria-label": say("addLabel"),
      placeholder: say("addLabel"),
      onfocus: () => this.#offer(),
    });
    this.#field.setAttribute("list", "known-labels");
    this.#form = h("form", { onsubmit: (event) => this.#add(event) }, this.#field, this.#choices);
    this.#list.setAttribute("role", "list");
    this.#list.setAttribute("aria-label", say("labels"));
    this.replaceChildren(this.#list, this.#form);
  }

  draw({ labels, viewerCan }) {
    this.#may = viewerCan.label;
    const hadFocus = this.#list.contains(document.activeElement);
    keep(this.#list, labels, (label) => label, (label) => this.#chip(label));
    // Who has removed one by keys goes on from the field.
    if (hadFocus && !this.#list.contains(document.activeElement)) this.#field.focus();
    this.#form.hidden = !this.#may;
    this.hidden = !this.#may && !labels.length;
  }

  /** Puts the cursor into the field; false where labels are not the viewer's to change. */
  write() {
    if (!this.#may) return false;
    this.#field.focus();
    return true;
  }

  #chip(label) {
    const remove = h("button", { type: "button", class: "quiet", onclick: () => this.#fire("remove", label) }, "×");
    const chip = h("li", { class: "chip" }, words(label), remove);
    chip.update = () => {
      remove.hidden = !this.#may;
      remove.setAttribute("aria-label", say("removeLabel", { label }));
    };
    return chip;
  }

  async #offer() {
    const labels = await this.known();
    this.#choices.replaceChildren(...labels.map((label) => h("option", { value: label })));
  }

  #add(event) {
    event.preventDefault();
    const label = this.#field.value.trim();
    if (!label) return;
    this.#field.value = "";
    this.#fire("add", label);
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
