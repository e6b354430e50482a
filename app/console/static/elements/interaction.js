// The open interaction: who it is, why it waits, what can be done, and what was said.

import { h, words } from "../view/dom.js";
import { menuOf } from "../view/menu.js";
import { say, sayValue } from "../view/language.js";
import { holderOf, kindOf, nameOf, sayRefusal } from "../view/saying.js";
import { brief, since, ticking, until } from "../view/times.js";

// What can be done to an interaction as a whole, the most likely first. Some need the version that is seen.
const ACTIONS = [
  "acceptTransfer",
  "rejectTransfer",
  "cancelTransfer",
  "claim",
  "release",
  "assign",
  "acknowledge",
  "clearAttention",
  "snooze",
  "unsnooze",
  "resumeBot",
  "close",
  "reopen",
];
const AS_SEEN = ["assign", "close", "reopen", "snooze", "clearAttention", "resumeBot"];
const AFTER_ALL_WAS_READ = ["close", "snooze"];

/** Fires `notice` with a text, `person` to show whose it is, `history` to show that, and `changed` with the interaction after a mutation. `viewer` is given once. */
export class Interaction extends HTMLElement {
  viewer;
  #open = null;
  #head;
  #actions;
  #labels;
  #timeline;
  #composer;
  #isBusy = false;

  connectedCallback() {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", say("conversation"));
    this.#draw();
  }

  set open(open) {
    this.#open?.removeEventListener("change", this);
    this.#open = open;
    this.#head = null;
    open?.addEventListener("change", this);
    this.#draw();
  }

  handleEvent() {
    this.#draw();
  }

  /** Puts the cursor where a reply or a note is written; false where there is none. */
  write(isNote) {
    return this.#head ? this.#composer.write(isNote) : false;
  }

  /** Puts the cursor where a label is written; false where there is none. */
  label() {
    return this.#head ? this.#labels.write() : false;
  }

  /** Opens the menu of those to whom it can be assigned; false where it cannot. */
  assign() {
    const menu = this.#head && this.#actions.querySelector("switchboard-assign");
    return menu ? menu.show() : false;
  }

  /** Changes it by one of CHANGES, which the viewer `can`, and says so when it is refused. */
  async do(name, more = {}, can = name) {
    const open = this.#open;
    if (!open?.head?.viewerCan[can] || this.#isBusy) return;
    this.#isBusy = true;
    this.#draw();
    const seen = {
      ...(AS_SEEN.includes(name) && { ifVersion: open.head.version }),
      ...(AFTER_ALL_WAS_READ.includes(name) && open.messages.length && { ifLatestMessageId: open.messages.at(-1).id }),
    };
    try {
      const interaction = await open.change(name, { ...seen, ...more });
      if (interaction) this.dispatchEvent(new CustomEvent("changed", { detail: interaction }));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("notice", { detail: sayRefusal(error) }));
    } finally {
      this.#isBusy = false;
      this.#draw();
    }
  }

  #draw() {
    if (!this.isConnected) return;
    const open = this.#open;
    if (!open) return this.#empty([h("strong", {}, say("pick")), h("p", {}, say("pickHint"))]);
    if (open.isGone) return this.#empty([backLink(), h("strong", {}, say("gone"))]);
    if (!open.head) return this.#empty([backLink(), say("loading")]);
    if (!this.#head) this.#build(open);
    this.#drawHead(open);
    this.#drawActions(open.head);
    this.#labels.draw(open.head);
    this.#timeline.draw(open, this.viewer);
    this.#composer.draw(open);
  }

  // What was shown is kept no longer: it may be large.
  #empty(children) {
    this.#head = this.#actions = this.#labels = this.#timeline = this.#composer = null;
    this.replaceChildren(h("div", { class: "empty" }, children));
  }

  #build(open) {
    this.#head = h("header", { class: "head" });
    this.#actions = h("div", { class: "actions", role: "group", "aria-label": say("actions") });
    this.#labels = Object.assign(document.createElement("switchboard-labels"), { known: () => open.knownLabels() });
    this.#labels.addEventListener("add", ({ detail }) => this.do("addLabels", { labels: [detail] }, "label"));
    this.#labels.addEventListener("remove", ({ detail }) => this.do("removeLabels", { labels: [detail] }, "label"));
    this.#timeline = document.createElement("switchboard-timeline");
    this.#composer = document.createElement("switchboard-composer");
    this.#composer.open = open;
    this.replaceChildren(this.#head, this.#labels, this.#actions, this.#timeline, this.#composer);
    const to = (name, more) => h("button", { type: "button", ...more, onclick: () => this.dispatchEvent(new CustomEvent(name)) }, say(name));
    this.#head.append(backLink(), words("", "h2"), to("history"), to("person", { class: "person-switch" }), h("div", { class: "facts" }));
    this.#head.querySelector("h2").tabIndex = -1;
    this.focusTitle();
  }

  focusTitle() {
    this.#head?.querySelector("h2").focus({ preventScroll: true });
  }

  #drawHead(open) {
    const { head } = open;
    const name = nameOf(head);
    const title = this.#head.querySelector("h2");
    if (title.textContent !== name) title.textContent = name;
    const facts = factsOf(open, this.viewer);
    const shown = JSON.stringify(facts.map(({ key }) => key));
    const place = this.#head.querySelector(".facts");
    if (place.dataset.shown === shown) return;
    place.dataset.shown = shown;
    place.replaceChildren(...facts.map(({ make }) => make()));
  }

  #drawActions({ viewerCan }) {
    const can = ACTIONS.filter((name) => viewerCan[name]);
    const shown = JSON.stringify([can, this.#isBusy]);
    if (this.#actions.dataset.shown === shown) return;
    this.#actions.dataset.shown = shown;
    const focused = this.#actions.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    this.#actions.replaceChildren(...can.map((name) => this.#make[name]?.() ?? this.#button(name)));
    this.#actions.hidden = !can.length;
    if (focused) (this.#actions.querySelector(`[data-action="${focused}"]`) ?? this.#head.querySelector("h2")).focus();
  }

  #button(name) {
    const isFirst = ["claim", "acceptTransfer"].includes(name);
    return h(
      "button",
      {
        type: "button",
        class: isFirst ? "primary" : null,
        "data-action": name,
        "aria-disabled": this.#isBusy ? "true" : null,
        onclick: () => this.do(name),
      },
      say(`do.${name}`),
    );
  }

  // Those that ask for more than a press.
  #make = { assign: () => this.#assign(), snooze: () => this.#snooze() };

  #assign() {
    const menu = Object.assign(document.createElement("switchboard-assign"), { open: this.#open, viewer: this.viewer });
    menu.addEventListener("assign", ({ detail }) => this.do("assign", { userId: detail }));
    return menu;
  }

  #snooze() {
    const hours = (n) => new Date(Date.now() + n * 3_600_000);
    const tomorrow = new Date();
    tomorrow.setDate(tomorrow.getDate() + 1);
    tomorrow.setHours(9, 0, 0, 0);
    const choices = [
      ["snoozeHour", hours(1)],
      ["snoozeHours", hours(4)],
      ["snoozeTomorrow", tomorrow],
    ];
    const entry = ([text, at]) =>
      h("button", { type: "button", class: "menu-entry", onclick: () => this.do("snooze", { until: at.toISOString() }) }, say(text));
    return menuOf(say("do.snooze"), "snooze", choices.map(entry));
  }
}

const backLink = () => h("a", { class: "back", href: "#", "aria-label": say("back") }, "←");

// What stands under the name. Each has a key, so that nothing is drawn anew without a change; clocks tick by themselves.
function factsOf({ head, typing }, viewer) {
  const { attention } = head;
  const facts = [];
  const fact = (key, make) => facts.push({ key, make });
  const text = (words_, className = "fact") => fact(words_, () => words(words_, "span", className));
  if (attention.needed) {
    const { level, reasons } = attention;
    const said = reasons.map((reason) => sayValue("reason", reason)).join(", ");
    fact([level, said], () => h("span", { class: "fact" }, h("span", { class: "level", "data-level": level }, sayValue("level", level)), " ", said));
    fact(attention.since, () => ticking(h("span", { class: "fact" }), () => say("waitingFor", { time: since(attention.since) })));
  } else text(sayValue("state", head.state));
  if (attention.note) text(attention.note);
  text(kindOf(head));
  text(holderOf(head, viewer) ?? say("nobody"));
  if (head.botActive) text(say("botActive"));
  if (attention.acknowledgedBy) text(say("acknowledgedBy", { name: attention.acknowledgedBy.name }));
  if (head.snoozeUntil) text(say("snoozedUntil", { time: brief(head.snoozeUntil) }));
  if (head.replyUntil) {
    const at = head.replyUntil;
    const window_ = () => (Date.parse(at) > Date.now() ? say("replyWindow", { time: until(at) }) : say("replyWindowClosed"));
    fact(at, () => ticking(h("span", { class: "fact window" }), window_));
  }
  const others = head.viewers.filter(({ user }) => user && user.id !== viewer.user.id).map(({ user }) => user.name);
  if (others.length) text(say("looking", { names: others.join(", ") }), "fact looking");
  const typists = [...typing.values()].map(({ name }) => name);
  if (typists.length) text(say("typing", { names: typists.join(", ") }), "fact looking");
  return facts;
}
