// The bar above everything: how the connection stands, alerts, the menu.

import { Refused } from "../graph/graph.js";
import { canPush, isPushed, switchOff, switchOn } from "../models/push.js";
import { hasDesktop, hasSound, setDesktop, setSound } from "../view/alerts.js";
import { h, words } from "../view/dom.js";
import { language, say } from "../view/language.js";
import { sayRefusal } from "../view/saying.js";
import { LANGUAGES } from "../view/texts.js";
import { exact } from "../view/times.js";
import { partsOf } from "./admin/parts.js";

const PLACES = { "/": "queue", "/wall": "wall", "/reports": "reports", "/admin": "admin" };

/** Whether a viewer has something to see at an address. */
const MAY = {
  "/reports": ({ permissions }) => permissions.includes("REPORTS_READ"),
  "/admin": (viewer) => partsOf(viewer).length > 0,
};

/** Fires `sign-out` and `speak` with a language, which rise to the page, and `help`. `session` is given before it is in the page. */
export class TopBar extends HTMLElement {
  session;
  #state;
  #renew;
  #menu;

  connectedCallback() {
    const { connection } = this.session.graph;
    this.#state = h("span", { class: "connection", role: "status" });
    connection.addEventListener("state", this);
    this.session.edition.addEventListener("found", this);
    this.#renew = h("button", { type: "button", class: "small", onclick: () => location.reload() }, say("newEdition"));
    this.#menu = this.#makeMenu();
    this.setAttribute("role", "banner");
    document.addEventListener("click", this);
    this.replaceChildren(
      h("h1", { class: "brand" }, h("a", { href: "#" }, "Switchboard")),
      this.#state,
      h("span", { class: "new-edition", role: "status" }, this.#renew),
      h("span", { class: "spacer" }),
      words(this.session.viewer.user.name, "span", "viewer-name"),
      this.#menu,
    );
    this.handleEvent({ type: "state" });
  }

  disconnectedCallback() {
    this.session.graph.connection.removeEventListener("state", this);
    this.session.edition.removeEventListener("found", this);
    document.removeEventListener("click", this);
  }

  handleEvent({ type, target }) {
    if (type === "click") {
      if (!this.#menu.contains(target)) this.#menu.open = false;
      return;
    }
    const { state } = this.session.graph.connection;
    this.#state.dataset.state = state;
    this.#state.textContent = say(`connection.${state}`);
    this.#renew.hidden = !this.session.edition.isOld;
  }

  #makeMenu() {
    const fire = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    const here = location.pathname;
    const places = Object.entries(PLACES).filter(([path]) => path !== here && (MAY[path]?.(this.session.viewer) ?? true));
    const entry = (text, onclick) => h("button", { type: "button", class: "menu-entry", onclick }, text);
    const languages = h(
      "select",
      { onchange: ({ target }) => fire("speak", target.value) },
      Object.entries(LANGUAGES).map(([tag, name]) => h("option", { value: tag, selected: tag === language(), lang: tag }, name)),
    );
    const menu = h(
      "details",
      { class: "menu", onkeydown: (event) => event.key === "Escape" && this.#closeMenu(event) },
      h("summary", { "aria-label": say("menu") }, h("span", { "aria-hidden": "true", class: "menu-sign" })),
      h(
        "div",
        { class: "menu-body" },
        this.#toggle(say("sound"), hasSound(), (box) => setSound(box.checked)),
        this.#toggle(say("desktop"), hasDesktop(), (box, hint) => this.#switchDesktop(box, hint)),
        canPush(this.session.viewer) && this.#pushToggle(),
        h("label", { class: "menu-entry" }, say("language"), languages),
        h("hr"),
        here === "/" &&
          entry(say("shortcuts"), () => {
            menu.open = false;
            fire("help");
          }),
        places.map(([path, name]) => h("a", { class: "menu-entry", href: path }, say(name))),
        h("a", { class: "menu-entry", href: "/graphql" }, say("explore")),
        h("a", { class: "menu-entry", href: "/about" }, say("about")),
        h("hr"),
        entry(say("signOut"), () => fire("sign-out")),
      ),
    );
    return menu;
  }

  #toggle(text, isOn, change) {
    const hint = h("span", { class: "faint small", role: "status" });
    const box = h("input", { type: "checkbox", checked: isOn, onchange: () => change(box, hint) });
    return h("label", { class: "menu-entry" }, h("span", {}, text, hint), box);
  }

  #pushToggle() {
    const toggle = this.#toggle(say("push"), false, (box, hint) => this.#switchPush(box, hint));
    toggle.dataset.action = "push";
    isPushed(this.session.viewer).then((isOn) => (toggle.control.checked = isOn));
    return toggle;
  }

  async #switchPush(box, hint) {
    const wanted = box.checked;
    box.disabled = true;
    try {
      const name = say("pushName", { name: this.session.viewer.user.name, time: exact(new Date()) });
      if (wanted) box.checked = await switchOn(this.session, name);
      else await switchOff(this.session);
      hint.textContent = box.checked ? say("pushOn") : wanted ? say("desktopDenied") : "";
    } catch (error) {
      box.checked = !wanted;
      hint.textContent = error instanceof Refused ? sayRefusal(error) : say("pushFailed", { reason: error.message });
    } finally {
      box.disabled = false;
    }
  }

  async #switchDesktop(box, hint) {
    const wanted = box.checked;
    box.checked = await setDesktop(wanted);
    hint.textContent = wanted && !box.checked ? say("desktopDenied") : "";
  }

  #closeMenu(event) {
    event.stopPropagation();
    this.#menu.open = false;
    this.#menu.querySelector("summary").focus();
  }
}
