// The console: the form to sign in, or the place to work, or the wallboard.

import { Session, keyAtHand } from "../models/session.js";
import { say, speak } from "../view/language.js";
import { sayRefusal } from "../view/saying.js";

/** The whole page. */
export class Console extends HTMLElement {
  #session = null;
  #attempt = 0;

  connectedCallback() {
    // An address with a key, pasted into this tab.
    addEventListener("hashchange", () => location.hash.startsWith("#key=") && this.#start());
    this.#start();
  }

  #start() {
    const key = keyAtHand();
    this.#leave();
    const form = this.#showForm();
    if (key) this.#signIn(form, key, true);
  }

  #showForm() {
    const form = document.createElement("switchboard-sign-in");
    form.addEventListener("key", ({ detail }) => this.#signIn(form, detail, false));
    this.replaceChildren(form);
    document.title = "Switchboard";
    return form;
  }

  async #signIn(form, key, isPatient) {
    const attempt = ++this.#attempt;
    form.isBusy = true;
    form.fault = "";
    try {
      const session = await Session.begin(key, isPatient);
      if (attempt === this.#attempt) this.#work(session);
      else session.graph.close();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      form.isBusy = false;
      form.fault = error.code === "UNAUTHENTICATED" ? say("keyRefused") : sayRefusal(error);
    }
  }

  #work(session) {
    this.#session = session;
    session.graph.connection.addEventListener("refused", () => {
      this.#leave();
      this.#showForm().fault = say("refused.UNAUTHENTICATED");
    });
    this.#show();
  }

  #show() {
    const place = document.createElement(location.pathname === "/wall" ? "switchboard-wall" : "switchboard-workplace");
    place.session = this.#session;
    place.addEventListener("sign-out", () => {
      this.#leave();
      history.replaceState(null, "", location.pathname);
      this.#showForm();
    });
    place.addEventListener("speak", ({ detail }) => {
      speak(detail);
      this.#show();
    });
    this.replaceChildren(place);
  }

  #leave() {
    this.#attempt++;
    this.#session?.end();
    this.#session = null;
  }
}
