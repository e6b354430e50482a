// The page before anybody has signed in.

import { h } from "../view/dom.js";
import { say } from "../view/language.js";

/**
 * Where a person comes in: a button for each of the `providers`, and a form for a key. Fires `provider` with the one that
 * was chosen, and `key` with what was entered; `fault` is what went wrong, for the person.
 */
export class SignIn extends HTMLElement {
  providers = [];
  #fault = h("p", { class: "fault", role: "alert", id: "sign-in-fault" });
  #button;
  #field;

  connectedCallback() {
    this.#field = h("input", {
      id: "key",
      type: "password",
      autocomplete: "off",
      spellcheck: false,
      required: true,
      "aria-describedby": "key-where sign-in-fault",
    });
    const people = this.providers.map((provider) =>
      h(
        "button",
        { type: "button", class: "primary", onclick: () => this.dispatchEvent(new CustomEvent("provider", { detail: provider })) },
        say("signInAt", { host: new URL(provider.issuer).host }),
      ),
    );
    this.#button = h("button", { class: people.length ? null : "primary", type: "submit" }, say("signIn"));
    const byKey = [
      h("label", { for: "key" }, say("key")),
      this.#field,
      h("p", { class: "faint small", id: "key-where" }, say("keyWhere")),
      this.#button,
    ];
    const form = h(
      "form",
      { class: "sign-in", noValidate: true, onsubmit: (event) => this.#submit(event) },
      h("h1", {}, "Switchboard"),
      h("p", { class: "faint" }, say(people.length ? "signInAtHint" : "signInHint")),
      people,
      this.#fault,
      people.length ? h("details", { class: "by-key" }, h("summary", {}, say("useKey")), h("div", { class: "by-key-form" }, byKey)) : byKey,
      h("p", { class: "small sign-in-links" }, h("a", { href: "/about" }, say("about"))),
    );
    this.replaceChildren(h("main", {}, form));
    (people[0] ?? this.#field).focus();
  }

  set isBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#button.textContent = say(isBusy ? "signingIn" : "signIn");
  }

  set fault(text) {
    this.#fault.textContent = text;
    if (text && this.#field.checkVisibility()) {
      this.#field.setAttribute("aria-invalid", "true");
      this.#field.select();
    }
  }

  #submit(event) {
    event.preventDefault();
    const key = this.#field.value.trim();
    if (!key) this.fault = say("keyMissing");
    else this.dispatchEvent(new CustomEvent("key", { detail: key }));
  }
}
