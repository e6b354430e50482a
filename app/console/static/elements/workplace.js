// The place to work: the queue, what is open, the person beside it, keys and notices.

import { OpenInteraction } from "../models/interaction.js";
import { Queue } from "../models/queue.js";
import { Sendings } from "../models/sending.js";
import { CHANGES } from "../graph/documents.js";
import { alertOf } from "../view/alerts.js";
import { h } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { noticesOf } from "../view/notices.js";
import { nameOf, sayRefusal } from "../view/saying.js";

const CHOICE = "switchboard.filter";
const HEARD_EVERY = 10_000; // a screen reader is not to be talked over by a busy queue

const idOfAddress = () => new URLSearchParams(location.hash.slice(1)).get("open");

/** `session` is given before it is in the page. */
export class Workplace extends HTMLElement {
  session;
  #queue;
  #open = null;
  #sendings;
  #panel;
  #interaction;
  #person;
  #history = document.createElement("switchboard-history");
  #notices = noticesOf();
  #unheard = [];
  #hearing = 0;
  #heard = h("div", { class: "unseen", role: "status" }); // for who does not see the rows move
  #help;

  connectedCallback() {
    const bar = Object.assign(document.createElement("switchboard-top-bar"), { session: this.session });
    bar.addEventListener("help", () => this.#help.showModal());
    const choice = keptChoice();
    this.#sendings = new Sendings(this.session.graph, (id, error) => this.#notices.tell(say("notSent", { why: sayRefusal(error) }), `#open=${id}`));
    this.#panel = Object.assign(document.createElement("switchboard-queue"), {
      graph: this.session.graph,
      viewer: this.session.viewer,
      choice,
    });
    this.#panel.addEventListener("choose", ({ detail }) => this.#choose(detail));
    this.#interaction = document.createElement("switchboard-interaction");
    this.#interaction.viewer = this.session.viewer;
    this.#interaction.addEventListener("notice", ({ detail }) => this.#notices.tell(detail));
    this.#interaction.addEventListener("changed", ({ detail }) => this.#queue.put(detail));
    this.#person = Object.assign(document.createElement("switchboard-person"), { graph: this.session.graph });
    this.#interaction.addEventListener("history", () => this.#history.show(this.#open));
    this.#interaction.addEventListener("person", () => this.#showPerson(!this.classList.contains("shows-person")));
    this.#person.addEventListener("leave", () => this.#showPerson(false));
    this.#help = makeHelp();
    this.replaceChildren(
      bar,
      h("main", { class: "work" }, this.#panel, this.#interaction, this.#person),
      this.#notices,
      this.#heard,
      this.#history,
      this.#help,
    );
    addEventListener("hashchange", this);
    document.addEventListener("keydown", this);
    this.#choose(choice);
    this.#show(idOfAddress());
  }

  /** Whether a reload would lose something. */
  get isBusy() {
    return this.#sendings.isBusy;
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this);
    document.removeEventListener("keydown", this);
    this.#queue.close();
    this.#open?.close();
    clearTimeout(this.#hearing);
  }

  handleEvent(event) {
    if (event.type === "hashchange") this.#show(idOfAddress());
    else this.#press(event);
  }

  #choose(choice) {
    localStorage.setItem(CHOICE, JSON.stringify(choice));
    this.#queue?.close();
    const queue = new Queue(this.session.graph, choice);
    this.#queue = queue;
    queue.addEventListener("arrival", ({ detail }) => this.#alert(detail));
    queue.addEventListener("fault", ({ detail }) => this.#notices.tell(sayRefusal(detail)));
    queue.addEventListener("change", () => {
      document.title = queue.nodes.length ? `(${queue.nodes.length}) Switchboard` : "Switchboard";
    });
    this.#panel.queue = queue;
  }

  #show(id) {
    if (id === (this.#open?.id ?? null)) return;
    this.#open?.close();
    const sending = this.#sendings.open(id);
    this.#open = id ? new OpenInteraction(this.session.graph, id, sending) : null;
    this.#panel.openId = id;
    this.#interaction.open = this.#open;
    this.#person.interactionId = id;
    this.classList.toggle("has-open", Boolean(id));
    this.classList.remove("shows-person");
    if (!id) this.#panel.focusCurrent();
  }

  #alert({ interaction, actor }) {
    if (actor?.id === this.session.viewer.user.id) return;
    const { level, reason } = interaction.attention;
    const title = say("alert", { level: sayValue("level", level), name: nameOf(interaction) });
    this.#unheard.push(`${title}. ${sayValue("reason", reason)}`);
    if (!this.#hearing) this.#hear();
    alertOf(title, sayValue("reason", reason), interaction.id, () => (location.hash = `open=${interaction.id}`));
  }

  // The first alert at once, and those that follow closely together.
  #hear() {
    this.#hearing = 0;
    const { length: n, [n - 1]: latest } = this.#unheard;
    if (!n) return;
    this.#unheard = [];
    this.#heard.textContent = n === 1 ? latest : say("alerts", { n, latest });
    this.#hearing = setTimeout(() => this.#hear(), HEARD_EVERY);
  }

  async #claim() {
    const inQueue = this.#panel.contains(document.activeElement);
    const found = inQueue || !this.#open ? this.#panel.current : this.#open.head;
    if (!found) return;
    if (!inQueue && this.#open) return this.#interaction.do("claim");
    try {
      const { interaction } = await this.session.graph.mutate(CHANGES.claim, { id: found.id });
      this.#queue.put(interaction);
    } catch (error) {
      this.#notices.tell(sayRefusal(error));
    }
  }

  #press(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.#help.open || this.#history.isShown) return;
    if (key === "Escape") return this.#goBack(target);
    if (target.closest?.("input, textarea, select")) return;
    const action = {
      j: () => this.#panel.move(1),
      k: () => this.#panel.move(-1),
      ArrowDown: () => this.#panel.contains(target) && this.#panel.move(1),
      ArrowUp: () => this.#panel.contains(target) && this.#panel.move(-1),
      c: () => this.#claim(),
      r: () => this.#interaction.write(false),
      n: () => this.#interaction.write(true),
      a: () => this.#interaction.assign(),
      l: () => this.#interaction.label(),
      h: () => (this.#open ? this.#history.show(this.#open) : false),
      "/": () => this.#panel.search(),
      "?": () => this.#help.showModal(),
    }[key];
    if (!action) return;
    if (action() !== false) event.preventDefault();
  }

  // One step: out of a field, from the person, from the interaction.
  #goBack(target) {
    if (target.closest?.("textarea, switchboard-labels input")) this.#interaction.focusTitle();
    else if (this.classList.contains("shows-person")) this.#showPerson(false);
    else if (this.#open) location.hash = "";
  }

  #showPerson(isShown) {
    this.classList.toggle("shows-person", isShown);
    if (isShown) this.#person.querySelector("h2")?.focus();
    else this.#interaction.focusTitle();
  }
}

function keptChoice() {
  try {
    const { kinds, whose, teams = [], labels = [] } = JSON.parse(localStorage.getItem(CHOICE));
    if ([kinds, teams, labels].every(Array.isArray) && ["all", "free", "mine"].includes(whose)) return { kinds, whose, teams, labels };
  } catch {
    // Nothing was kept, or something else.
  }
  return { kinds: [], whose: "all", teams: [], labels: [] };
}

function makeHelp() {
  const keys = { "j / k": "move", Enter: "open", c: "claim", r: "reply", n: "note", a: "assign", l: "label", h: "history", "/": "search", Esc: "back", "?": "help" };
  const help = h(
    "dialog",
    { class: "help", "aria-label": say("shortcuts") },
    h("h2", {}, say("shortcuts")),
    h("dl", {}, Object.entries(keys).map(([key, name]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, say(`keys.${name}`))])),
    h("button", { type: "button", class: "primary", onclick: () => help.close() }, say("close")),
  );
  return help;
}
