// The queue as it is seen: filters, counts, rows that move without flicker.

import { LEVELS } from "../models/queue.js";
import { knownLabels, knownTeams } from "../models/choices.js";
import { fill, h, keep, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { holderOf, kindOf, nameOf, whyLeft } from "../view/saying.js";
import { since, ticking } from "../view/times.js";

const LEAVES_AFTER = 3_000;
const KINDS = ["SESSION", "AGENT_SESSION", "CHAT_SESSION", "CONVERSATION"];
const WHOSE = ["all", "free", "mine"];

/** Fires `choose` with another filter. `graph`, `viewer` and `choice` are given before it is in the page, `queue` at any time. */
export class QueuePanel extends HTMLElement {
  graph;
  viewer;
  choice;
  #queue = null;
  #openId = null;
  #currentId = null;
  #leaving = new Map();
  #list;
  #counts;
  #total;
  #empty;
  #search;

  connectedCallback() {
    this.#list = h("ol", { class: "rows", "aria-label": say("queue"), onfocusin: (event) => this.#focused(event) });
    this.#list.setAttribute("role", "list");
    this.#counts = h("ul", { class: "counts" });
    this.#total = h("span", { class: "faint small" });
    this.#empty = h("div", { class: "empty" });
    this.#search = Object.assign(document.createElement("switchboard-search"), { graph: this.graph });
    this.#search.addEventListener("change", () => this.classList.toggle("searching", this.#search.isOpen));
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", say("queue"));
    this.replaceChildren(
      h("header", { class: "queue-head" }, h("div", { class: "queue-title" }, h("h2", { tabIndex: -1 }, say("queue")), this.#total), this.#filters(), this.#counts),
      this.#search,
      this.#list,
      this.#empty,
    );
    this.draw();
  }

  set queue(queue) {
    this.#queue = queue;
    this.#leaving.clear();
    queue.addEventListener("change", () => queue === this.#queue && this.draw());
    queue.addEventListener("leave", ({ detail }) => queue === this.#queue && this.#leave(detail));
    this.draw();
  }

  set openId(id) {
    this.#openId = id;
    if (id && this.#queue?.nodes.some((node) => node.id === id)) this.#currentId = id;
    this.draw();
  }

  /** The interaction on which keys act, or null. */
  get current() {
    if (this.#search.isOpen) return this.#search.current;
    return this.#queue.nodes.find(({ id }) => id === this.#currentId) ?? null;
  }

  /** Moves by so many rows, and takes the focus along. */
  move(by) {
    if (this.#search.isOpen) return this.#search.move(by);
    const { nodes } = this.#queue;
    if (!nodes.length) return;
    const there = nodes.findIndex(({ id }) => id === this.#currentId);
    const place = there < 0 ? 0 : Math.min(nodes.length - 1, Math.max(0, there + by));
    this.#currentId = nodes[place].id;
    this.draw();
    this.focusCurrent();
  }

  search() {
    this.#search.write();
  }

  focusCurrent() {
    if (this.#search.isOpen) return this.#search.write();
    // Without a row the title has it, where keys are still heard: those pressed in a field are the field's.
    (this.#list.querySelector("a[tabindex='0']") ?? this.querySelector("h2")).focus();
  }

  draw() {
    if (!this.#queue || !this.#list) return;
    const { nodes, counts, isRead, hasMore } = this.#queue;
    if (!isRead && this.#list.children.length) return; // what was there stays until there is something better
    if (!nodes.some(({ id }) => id === this.#currentId)) this.#settle();
    for (const { id } of nodes) this.#leaving.delete(id);
    keep(this.#list, this.#withLeaving(nodes), (item) => item.node.id, makeRow);
    this.#total.textContent = isRead ? say(hasMore ? "queueFull" : "waiting", { n: nodes.length }) : "";
    keep(this.#counts, LEVELS, (level) => level, makeCount(() => this.#queue.counts));
    this.#counts.hidden = !isRead || !Object.keys(counts).length;
    const isEmpty = !this.#list.children.length;
    this.#empty.hidden = !isEmpty;
    if (isEmpty) {
      const texts = isRead ? [h("strong", {}, say("queueEmpty")), h("p", {}, say("queueEmptyHint"))] : [say("loading")];
      this.#empty.replaceChildren(...texts);
    }
  }

  // The row after the one that left, so that keys go on from where they were.
  #settle() {
    const { nodes } = this.#queue;
    const hadFocus = this.#list.contains(document.activeElement);
    const place = [...this.#list.children].findIndex(({ dataset }) => dataset.key === this.#currentId);
    this.#currentId = nodes[Math.min(Math.max(place, 0), nodes.length - 1)]?.id ?? null;
    if (hadFocus) queueMicrotask(() => this.focusCurrent());
  }

  #withLeaving(nodes) {
    const items = nodes.map((node) => this.#item(node, null));
    for (const [id, { was, place, why }] of this.#leaving) {
      if (!nodes.some((node) => node.id === id)) items.splice(Math.min(place, items.length), 0, this.#item(was, why));
    }
    return items;
  }

  #item(node, why) {
    return { node, why, viewer: this.viewer, isOpen: node.id === this.#openId, isCurrent: node.id === this.#currentId && !why };
  }

  #leave({ was, item }) {
    const place = [...this.#list.children].findIndex(({ dataset }) => dataset.key === was.id);
    this.#leaving.set(was.id, { was, place: Math.max(place, 0), why: whyLeft({ was, item }) });
    setTimeout(() => this.#leaving.delete(was.id) && this.draw(), LEAVES_AFTER);
  }

  #focused({ target }) {
    const { key } = target.closest("li").dataset;
    if (key === this.#currentId || this.#leaving.has(key)) return;
    this.#currentId = key;
    this.draw();
  }

  #filters() {
    const choose = (change) => {
      this.choice = { ...this.choice, ...change };
      this.dispatchEvent(new CustomEvent("choose", { detail: this.choice }));
    };
    const kinds = h(
      "select",
      { "aria-label": say("kindFilter"), onchange: ({ target }) => choose({ kinds: target.value ? [target.value] : [] }) },
      h("option", { value: "" }, say("allKinds")),
      KINDS.map((kind) => h("option", { value: kind, selected: this.choice.kinds.includes(kind) }, sayValue("kind", kind))),
    );
    const whose = h(
      "select",
      { "aria-label": say("whose"), onchange: ({ target }) => choose({ whose: target.value }) },
      WHOSE.map((value) => h("option", { value, selected: this.choice.whose === value }, say(`whose.${value}`))),
    );
    const teams = this.#known("teamFilter", "allTeams", "teams", choose, async () => {
      const found = await knownTeams(this.graph);
      return found.length ? [...found.map(({ id, name }) => [id, name]), [null, say("ofNoTeam")]] : [];
    });
    const labels = this.#known("labelFilter", "allLabels", "labels", choose, async () => (await knownLabels(this.graph)).map((name) => [name, name]));
    return h("div", { class: "filters" }, whose, kinds, teams, labels);
  }

  // One of what `read` finds, as pairs of a value and its name, or all. What is chosen stays to be seen, also when it is
  // not found any more.
  #known(label, all, field, choose, read) {
    let known = null;
    const select = h("select", {
      "aria-label": say(label),
      onchange: ({ target }) => choose({ [field]: target.value ? [JSON.parse(target.value)] : [] }),
      onfocus: () => offer(),
    });
    const draw = (found) => {
      const chosen = this.choice[field].map((value) => JSON.stringify(value));
      const options = new Map(found.map(([value, name]) => [JSON.stringify(value), name]));
      for (const value of chosen) if (!options.has(value)) options.set(value, JSON.parse(value) ?? say("ofNoTeam"));
      fill(select, h("option", { value: "" }, say(all)), [...options].map(([value, name]) => h("option", { value }, name)));
      select.value = chosen[0] ?? "";
      select.hidden = select.options.length < 2;
    };
    const offer = async () => {
      const found = await read();
      if (JSON.stringify(found) === known) return; // an open list is not drawn anew for nothing
      known = JSON.stringify(found);
      draw(found);
    };
    draw([]);
    offer();
    return select;
  }
}

function makeCount(counts) {
  return (level) => {
    const number = h("strong", {});
    const item = h("li", { class: "count", "data-level": level }, number, ` ${sayValue("level", level)}`);
    item.update = () => {
      const now = String(counts()[level] ?? 0);
      if (number.textContent !== now) number.textContent = now;
      item.hidden = now === "0";
    };
    return item;
  };
}

function makeRow() {
  let item;
  const name = words("", "span", "row-name");
  const time = ticking(h("span", { class: "row-time" }), () => {
    if (!item) return "";
    const text = since(item.node.attention.since);
    const label = say("waitingFor", { time: text });
    if (time.getAttribute("aria-label") !== label) time.setAttribute("aria-label", label);
    return text;
  });
  const level = h("span", { class: "level" });
  const reason = h("span", { class: "row-reason" });
  const kind = words("", "span", "row-kind");
  const text = words("", "span", "row-text");
  const holder = words("", "span", "row-holder");
  const link = h("a", { class: "row" }, h("span", { class: "row-line" }, name, time), h("span", { class: "row-line" }, level, reason), text, h("span", { class: "row-line row-foot" }, kind, holder));
  const row = h("li", {}, link);
  const put = (element, value) => element.textContent !== value && (element.textContent = value);
  row.update = (given) => {
    // Of hundreds of rows an event changes one: the others cost a look.
    if (item && Object.keys(given).every((name) => given[name] === item[name])) return;
    item = given;
    const { node, why, viewer, isOpen, isCurrent } = given;
    const { attention } = node;
    row.dataset.level = attention.level;
    row.classList.toggle("leaving", Boolean(why));
    link.setAttribute("href", `#open=${node.id}`);
    link.tabIndex = isCurrent ? 0 : -1;
    link.classList.toggle("current", isCurrent);
    if (isOpen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    put(name, nameOf(node));
    put(level, sayValue("level", attention.level));
    put(reason, why ?? sayValue("reason", attention.reason));
    put(kind, kindOf(node));
    put(text, node.latestMessage?.text ?? attention.note ?? "");
    const seen = attention.acknowledgedBy && say("acknowledgedBy", { name: attention.acknowledgedBy.name });
    put(holder, holderOf(node, viewer) ?? seen ?? (node.botActive ? say("botActive") : ""));
    time.tick();
  };
  return row;
}
