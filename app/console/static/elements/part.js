// One part of the administration: its list, what makes an item, and what can be done to each.

import { Listing } from "../models/listing.js";
import { fill, h, keep, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { menuOf } from "../view/menu.js";
import { sayRefusal } from "../view/saying.js";

const PAUSE = 250; // milliseconds without a key before the list is narrowed

/**
 * A list with what can be done. `part` says what of, as those of the folder admin do; `parent` is the item that it belongs to,
 * where it is a list within another; `tools` are what actions work with.
 */
export class Part extends HTMLElement {
  part;
  parent = null;
  tools;
  #listing;
  #timer = 0;
  #list = h("ul", { class: "entries", role: "list" });
  #hint = h("p", { class: "faint", role: "status" });
  #more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#listing.more() }, say("showMore"));
  #told = h("p", { class: "small", role: "status" });
  #heading;

  connectedCallback() {
    const { name, list, create, isSearched } = this.part;
    this.#heading = h("h2", { tabIndex: -1 }, sayValue("part", name));
    this.#listing = new Listing(this.tools.graph, list, list.variables?.(this.parent) ?? {});
    this.tools = { ...this.tools, listing: this.#listing, titleOf: this.part.title, parent: this.parent };
    // Behind a dialog nothing is heard: a list in one tells by itself.
    if (this.parent) this.tools.tell = (text) => (this.#told.textContent = text);
    const make = create && (create.isShown?.(this.parent, this.tools) ?? true) ? this.#button(create, this.parent, create.isDanger ? "danger" : "primary") : null;
    this.#list.setAttribute("aria-label", sayValue("part", name));
    this.replaceChildren(
      h("div", { class: "part-head" }, this.parent ? null : this.#heading, isSearched ? this.#search() : null, make),
      h("p", { class: "faint part-about" }, sayValue("about", name)),
      this.#told,
      this.#hint,
      this.#list,
      this.#more,
    );
    this.#listing.addEventListener("change", this);
    this.#hint.textContent = say("loading");
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#listing.close();
  }

  /** Puts the focus where the part begins. */
  focus() {
    this.#heading.focus();
  }

  handleEvent() {
    const { items, fault, hasMore, isFull } = this.#listing;
    const hadFocus = this.#list.contains(document.activeElement);
    keep(this.#list, items, ({ id }) => id, () => this.#entry());
    if (hadFocus && !this.#list.contains(document.activeElement)) (this.parent ? this.closest("dialog").querySelector("h2") : this.#heading).focus();
    this.#more.hidden = !hasMore || isFull;
    this.#hint.classList.toggle("fault", Boolean(fault));
    this.#hint.textContent = fault ? sayRefusal(fault) : !items.length ? say("emptyList") : hasMore && isFull ? say("queueFull", { n: items.length }) : "";
  }

  #search() {
    const input = h("input", {
      type: "search",
      "aria-label": say("find"),
      placeholder: say("find"),
      autocomplete: "off",
      oninput: () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#listing.narrow({ search: input.value.trim() || null }), PAUSE);
      },
    });
    return input;
  }

  // The buttons are made once: what is drawn anew would lose the focus.
  #entry() {
    const title = h("h3", { class: "entry-title" });
    const facts = h("div", { class: "entry-facts" });
    const entry = h("li", { class: "entry" });
    const buttons = (this.part.actions ?? []).map((action) => ({
      action,
      button: this.#button(action, () => entry.item, action.isMain ? "small" : `menu-entry${action.isDanger ? " fault" : ""}`),
    }));
    const inMenu = buttons.filter(({ action }) => !action.isMain);
    const menu = inMenu.length ? menuOf(say("more"), "more", inMenu.map(({ button }) => button)) : null;
    const actions = h("div", { class: "entry-actions" }, buttons.filter(({ action }) => action.isMain).map(({ button }) => button), menu);
    fill(entry, h("div", { class: "entry-text" }, title, facts), buttons.length ? actions : null);
    entry.update = (item) => {
      if (JSON.stringify(item) === JSON.stringify(entry.item)) return; // what is opened in it stays open
      entry.item = item;
      const { title: titleOf, badges = () => [], facts: factsOf } = this.part;
      fill(title, words(titleOf(item)), " ", badges(item, this.tools).filter(Boolean).map(({ text, tone }) => [h("span", { class: "badge", "data-tone": tone }, text), " "]));
      fill(facts, factsOf(item, this.tools).filter(Boolean).map((fact) => (fact instanceof Element ? fact : words(fact, "p"))));
      for (const { action, button } of buttons) {
        button.hidden = action.isShown ? !action.isShown(item, this.tools) : false;
        button.setAttribute("aria-label", say("actOn", { what: sayValue("act", action.name), name: titleOf(item) }));
      }
      if (menu) {
        menu.hidden = inMenu.every(({ button }) => button.hidden);
        menu.querySelector("summary").setAttribute("aria-label", say("moreOf", { name: titleOf(item) }));
      }
    };
    return entry;
  }

  #button(action, itemOf, className) {
    const button = h("button", { type: "button", class: className, "data-action": action.name, onclick: () => run() }, sayValue("act", action.name));
    const run = async () => {
      const menu = button.closest("details");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      button.disabled = true;
      try {
        await action.run(typeof itemOf === "function" ? itemOf() : itemOf, this.tools);
      } catch (error) {
        if (error.code === undefined) throw error; // no refusal, but a fault of ours
        this.tools.tell(sayRefusal(error));
      } finally {
        button.disabled = false;
      }
    };
    return button;
  }
}
