// The person beside an interaction, with their other interactions.

import { PERSON } from "../graph/documents.js";
import { fill, h, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { nameOf } from "../view/saying.js";
import { brief } from "../view/times.js";

/** Fires `leave` when it is to be hidden where it covers the rest. `graph` is given before it is in the page; `interactionId` says whose person is shown, null for nobody. */
export class Person extends HTMLElement {
  graph;
  #id = null;

  connectedCallback() {
    this.setAttribute("role", "complementary");
    this.setAttribute("aria-label", say("person"));
  }

  set interactionId(id) {
    this.#id = id;
    this.replaceChildren();
    if (id) this.#read(id);
  }

  async #read(id) {
    const found = await this.graph.query(PERSON, { id }).catch(() => null); // beside the point: the page does without
    if (id !== this.#id || !found?.interaction?.customer) return;
    const { customer } = found.interaction;
    const { profile } = customer;
    const facts = {
      name: profile?.name ?? nameOf({ customer }),
      phone: customer.phoneNumber ?? profile?.phoneNumber,
      email: customer.email ?? profile?.email,
      company: customer.companyName,
      address: customer.displayId === customer.phoneNumber?.replace("+", "") ? null : customer.displayId,
      timeZone: customer.timeZone,
    };
    const others = (profile ?? customer).interactions.nodes.filter((each) => each.id !== id);
    fill(
      this,
      h("h2", { tabIndex: -1 }, say("person")),
      h("button", { type: "button", class: "person-switch quiet", onclick: () => this.dispatchEvent(new CustomEvent("leave")) }, say("close")),
      profile?.blocked ? h("p", { class: "fault" }, say("blocked")) : null,
      h("dl", { class: "person-facts" }, Object.entries(facts).filter(([, value]) => value).map(([name, value]) => [h("dt", {}, say(name)), words(value, "dd")])),
      h("h3", {}, say("otherInteractions")),
      others.length ? h("ul", { class: "others" }, others.map(otherOf)) : h("p", { class: "faint" }, say("noOthers")),
    );
  }
}

function otherOf({ id, kind, state, latestMessageAt, attention, latestMessage }) {
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#open=${id}` },
      h("span", { class: "row-line" }, h("strong", {}, sayValue("kind", kind)), h("span", { class: "faint small" }, latestMessageAt ? brief(latestMessageAt) : "")),
      words(latestMessage?.text, "span", "row-text"),
      attention.needed
        ? h("span", { class: "level", "data-level": attention.level }, sayValue("level", attention.level))
        : h("span", { class: "faint small" }, sayValue("state", state)),
    ),
  );
}
