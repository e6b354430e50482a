// Messages and notes, the oldest first, with what is still on its way.

import { fill, h, keep, words } from "../view/dom.js";
import { say, sayValue } from "../view/language.js";
import { contentsOf } from "../view/contents.js";
import { nameOf, sayRefusal } from "../view/saying.js";
import { moveAmongMenus, reactionMenu } from "../view/reactions.js";
import { clock, day, full, isSameDay } from "../view/times.js";

const NEAR = 80; // pixels from the end within which the end is followed

/** What was said in an interaction. `draw(open, viewer)` shows its state now. Fires `notice` with a text, which rises to the page. */
export class Timeline extends HTMLElement {
  #list = h("ol", { class: "entries" });
  #earlier = h("button", { type: "button", class: "quiet", onclick: () => this.#readEarlier() });
  #none = h("p", { class: "empty" });
  #open = null;
  #isAtEnd = true;
  #sizes = new ResizeObserver(() => this.#follow());

  connectedCallback() {
    this.#sizes.observe(this);
    this.onscroll = () => (this.#isAtEnd = this.scrollHeight - this.scrollTop - this.clientHeight < NEAR);
    this.tabIndex = 0;
    this.setAttribute("role", "log");
    this.setAttribute("aria-label", say("conversation"));
    this.#earlier.textContent = say("earlier");
    this.#none.textContent = say("noMessages");
    this.#list.setAttribute("role", "list");
    this.#list.addEventListener("keydown", (event) => moveAmongMenus(this.#list, event));
    this.replaceChildren(this.#earlier, this.#none, this.#list);
  }

  disconnectedCallback() {
    this.#sizes.disconnect();
  }

  draw(open, viewer) {
    const isFirst = this.#open !== open;
    this.#open = open;
    if (isFirst) this.#isAtEnd = true;
    this.#earlier.hidden = !open.hasEarlier;
    const items = [...withDays(open.entries), ...open.sending.pending.map((pending) => ({ pending }))];
    this.#none.hidden = items.length > 0;
    const customer = nameOf(open.head);
    const react = open.head.viewerCan.react ? (id, emoji) => this.#react(id, emoji) : null;
    const shown = items.map((item) => ({ ...item, sending: open.sending, viewer, customer, react }));
    keep(this.#list, shown, keyOf, makeEntry);
    moveAmongMenus(this.#list);
    this.#follow();
  }

  async #react(id, emoji) {
    try {
      await this.#open.react(id, emoji);
    } catch (error) {
      this.dispatchEvent(new CustomEvent("notice", { detail: sayRefusal(error), bubbles: true }));
    }
  }

  // The end stays in sight for who has it in sight, also when the place becomes smaller, as by a phone's keyboard.
  #follow() {
    if (this.#isAtEnd) this.scrollTop = this.scrollHeight;
  }

  async #readEarlier() {
    const fromEnd = this.scrollHeight - this.scrollTop;
    this.#earlier.disabled = true;
    await this.#open.readEarlier().catch(() => {}); // the button stays, to be tried again
    this.#earlier.disabled = false;
    this.scrollTop = this.scrollHeight - fromEnd;
  }
}

const keyOf = ({ message, note, pending, day }) => message?.id ?? note?.id ?? pending?.id ?? `day ${day}`;

function withDays(entries) {
  const items = [];
  let last = null;
  for (const entry of entries) {
    if (!last || !isSameDay(last, entry.at)) items.push({ day: entry.at });
    last = entry.at;
    items.push(entry);
  }
  return items;
}

function makeEntry() {
  const entry = h("li", {});
  let shown = null;
  entry.update = (item) => {
    const { message, note, pending } = item;
    const now = JSON.stringify([message, note, pending, pending?.error?.code, Boolean(item.react)]);
    if (now === shown) return;
    shown = now;
    const hadFocus = entry.contains(document.activeElement);
    if (message) drawMessage(entry, message, item);
    else if (note) drawNote(entry, note);
    else if (pending) drawPending(entry, pending, item.sending);
    else drawDay(entry, item.day);
    if (hadFocus) entry.querySelector("summary")?.focus();
  };
  return entry;
}

function drawDay(entry, at) {
  entry.className = "day";
  entry.replaceChildren(h("time", { datetime: at }, day(at)));
}

const timeOf = (at) => h("time", { datetime: at, title: full(at) }, clock(at));

function drawMessage(entry, message, { viewer, customer, react }) {
  const { author, user, status, reference } = message;
  entry.className = `message from-${author === "CUSTOMER" ? "customer" : author === "SYSTEM" ? "system" : "us"}`;
  const name = user?.id === viewer.user.id ? say("you") : (user?.name ?? message.authorName ?? (author === "CUSTOMER" ? customer : sayValue("author", author)));
  const reactions = [message.customerReaction, message.agentReaction].filter(Boolean);
  const isOurs = author !== "CUSTOMER" && author !== "SYSTEM";
  fill(
    entry,
    h("div", { class: "meta" }, words(name, "span", "author"), " ", timeOf(message.sentAt)),
    h(
      "div",
      { class: author === "BOT" || author === "AI_AGENT" ? "bubble bot" : "bubble" },
      reference ? words(reference.text, "blockquote") : null,
      contentsOf(message),
    ),
    reactions.length ? words(say("reaction", { emoji: reactions.join(" ") }), "div", "meta") : null,
    react && author === "CUSTOMER" ? reactionMenu(message, (emoji) => react(message.id, emoji)) : null,
    isOurs && status === "ERROR"
      ? h("div", { class: "meta fault" }, words([sayValue("status", status), message.latestError?.originalMessage].filter(Boolean).join(": ")))
      : null,
    isOurs && status !== "ERROR" ? h("div", { class: "meta" }, sayValue("status", status)) : null,
  );
}

function drawNote(entry, { author, text, createdAt }) {
  entry.className = "note";
  const by = author ? say("noteBy", { name: author.name }) : say("note");
  entry.replaceChildren(
    h("div", { class: "meta" }, words(by, "span", "author"), " ", timeOf(createdAt)),
    h("div", { class: "bubble" }, words(text, "p", "text")),
  );
}

function drawPending(entry, pending, sending) {
  const { text, state, isNote, error } = pending;
  entry.className = `${isNote ? "note" : "message from-us"} pending`;
  const isCrossing = ["NEWER_MESSAGE", "ALREADY_CLAIMED"].includes(error?.code);
  const button = (what, onclick) => h("button", { type: "button", class: "small", onclick }, say(what));
  entry.replaceChildren(
    h("div", { class: "bubble" }, words(text, "p", "text")),
    state === "sending"
      ? h("div", { class: "meta" }, say("sending"))
      : h(
          "div",
          { class: "meta fault", role: "alert" },
          words(say("notSent", { why: sayRefusal(error) })),
          " ",
          button(isCrossing ? "anyway" : "again", () =>
            sending.again(pending, error.code === "ALREADY_CLAIMED" ? { override: true } : {}),
          ),
          " ",
          button("discard", () => sending.discard(pending)),
        ),
  );
}
