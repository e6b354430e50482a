// The page before anybody has signed in.

import { h } from "../view/dom.js";
import { say } from "../view/language.js";

/** A form for the key. Fires `key` with what was entered; `fault` is what went wrong, for the person. */
export class SignIn extends HTMLElement {
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
    this.#button = h("button", { class: "primary", type: "submit" }, say("signIn"));
    this.replaceChildren(
      h(
        "form",
        { class: "sign-in", noValidate: true, onsubmit: (event) => this.#submit(event) },
        h("h1", {}, "Switchboard"),
        h("p", { class: "faint" }, say("signInHint")),
        h("label", { for: "key" }, say("key")),
        this.#field,
        h("p", { class: "faint small", id: "key-where" }, say("keyWhere")),
        this.#fault,
        this.#button,
        h("p", { class: "small sign-in-links" }, h("a", { href: "/about" }, say("about"))),
      ),
    );
    this.#field.focus();
  }

  set isBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#button.textContent = say(isBusy ? "signingIn" : "signIn");
  }

  set fault(text) {
    this.#fault.textContent = text;
    if (text) {
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
