// The console: the form to sign in, or the place to work, the wallboard, the administration or the reports.

import { ByKey, Providers, Session, keyAtHand } from "../models/session.js";
import { say, speak } from "../view/language.js";
import { whenIdle } from "../view/idle.js";
import { sayRefusal } from "../view/saying.js";

const PLACES = { "/wall": "switchboard-wall", "/admin": "switchboard-admin", "/reports": "switchboard-reports" };

/** The whole page. */
export class Console extends HTMLElement {
  #session = null;
  #attempt = 0;
  #providers = new Providers();
  #place = null;
  #stay = () => {};

  connectedCallback() {
    // An address with a key, pasted into this tab.
    addEventListener("hashchange", () => location.hash.startsWith("#key=") && this.#start());
    this.#start();
  }

  async #start() {
    const key = keyAtHand();
    this.#leave();
    const form = this.#showForm();
    if (key) return this.#signIn(form, new ByKey(key), true);
    await this.#goTo(form, async () => {
      const person = await this.#providers.arrived();
      if (person) await this.#signIn(form, person, true);
    });
  }

  // Shows what goes wrong at a provider, which says so in its own words.
  async #goTo(form, what) {
    try {
      await what();
    } catch ({ message }) {
      form.fault = message;
    }
  }

  #showForm() {
    const form = Object.assign(document.createElement("switchboard-sign-in"), { providers: this.#providers.all });
    form.addEventListener("key", ({ detail }) => this.#signIn(form, new ByKey(detail), false));
    form.addEventListener("provider", ({ detail }) => this.#goTo(form, () => this.#providers.leaveFor(detail)));
    this.replaceChildren(form);
    document.title = "Switchboard";
    return form;
  }

  async #signIn(form, credential, isPatient) {
    const attempt = ++this.#attempt;
    form.isBusy = true;
    form.fault = "";
    try {
      const session = await Session.begin(credential, isPatient);
      if (attempt === this.#attempt) this.#work(session);
      else session.graph.close();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      form.isBusy = false;
      form.fault = error.code === "UNAUTHENTICATED" ? say(credential.refused) : sayRefusal(error);
    }
  }

  #work(session) {
    this.#session = session;
    session.graph.connection.addEventListener("refused", () => {
      this.#leave();
      this.#showForm().fault = say(session.credential.ended);
    });
    session.edition.addEventListener("found", () => {
      if (session === this.#session) this.#stay = whenIdle(() => this.#isBusy, () => location.reload());
    });
    this.#show();
  }

  #show() {
    const place = document.createElement(PLACES[location.pathname] ?? "switchboard-workplace");
    place.session = this.#session;
    place.addEventListener("sign-out", () => {
      const away = this.#leave();
      history.replaceState(null, "", location.pathname);
      this.#showForm();
      if (away) location.assign(away);
    });
    place.addEventListener("speak", ({ detail }) => {
      speak(detail);
      this.#show();
    });
    this.#place = place;
    this.replaceChildren(place);
  }

  // A reload would lose something, or find no server.
  get #isBusy() {
    const isAway = this.#session.graph.connection.state !== "live";
    return isAway || Boolean(this.#place.isBusy) || document.querySelector("dialog[open]") !== null;
  }

  #leave() {
    this.#attempt++;
    this.#stay();
    const away = this.#session?.end() ?? null;
    this.#session = null;
    return away;
  }
}
