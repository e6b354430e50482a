// The last hour as this page has seen it: what arrived, what was answered, how many waited, and what is due.

import { DUE, HAPPENING } from "../graph/documents.js";

const KEPT = "switchboard.hour"; // counts and a cursor: a reload goes on from there
const SPAN = 5 * 60_000; // milliseconds of a bar
const BARS = 12;
const PAGES = 5; // of 100 interactions
const SOON = 30 * 60_000;

const spanOf = (time) => Math.floor(time / SPAN);

/** Fires `change`. The graph has no past of the queue, so the hour begins when the page is opened. */
export class Hour extends EventTarget {
  #graph;
  #viewerId;
  #spans = new Map(); // the number of a span: { arrivals, answers, waiting }
  #deadlines = new Map(); // the id of an interaction that needs a human: by when
  #cursor = null;
  #isResumed = false;
  #waiting = null;
  #stop;
  #timer;

  constructor(graph, viewerId) {
    super();
    this.#graph = graph;
    this.#viewerId = viewerId;
    this.#resume();
    this.#stop = graph.follow({
      read: () => this.#read(),
      subscription: HAPPENING,
      take: (item) => this.#take(item),
      fail: () => {}, // the counts of the summary go on without it
    });
    this.#timer = setInterval(() => this.#pass(), 10_000);
    this.#pass();
  }

  /** For each bar of `arrivals`, `answers` or `waiting`: a number, or null for a time that was not seen. */
  values(name) {
    const now = spanOf(Date.now());
    return Array.from({ length: BARS }, (_, place) => this.#spans.get(now - BARS + 1 + place)?.[name] ?? null);
  }

  /** How many deadlines have passed, how many will within half an hour, and the next of them, or null. */
  get due() {
    const now = Date.now();
    const times = [...this.#deadlines.values()].filter((time) => time < now + SOON);
    const coming = times.filter((time) => time >= now);
    return { passed: times.length - coming.length, soon: coming.length, next: coming.length ? Math.min(...coming) : null };
  }

  /** How many wait now. */
  set waiting(count) {
    this.#waiting = count;
    this.#pass();
  }

  close() {
    this.#stop();
    clearInterval(this.#timer);
  }

  async #read() {
    const deadlines = new Map();
    let cursor, page, after;
    for (let number = 0; number < PAGES && (!page || page.hasNextPage); number++) {
      const { attentionQueue: found } = await this.#graph.query(DUE, { after });
      cursor ??= found.cursor;
      for (const { id, attention } of found.nodes) if (attention.deadline) deadlines.set(id, Date.parse(attention.deadline));
      page = found.pageInfo;
      after = page.endCursor;
    }
    this.#deadlines = deadlines;
    this.dispatchEvent(new Event("change"));
    if (!this.#isResumed || this.#cursor === null) this.#cursor = cursor;
    this.#isResumed = false; // a cursor that the server no longer knows is not tried again
    return this.#cursor;
  }

  #take({ cursor, at, topic, message, interactionId, interaction }) {
    this.#cursor = cursor;
    const name = { INTERACTION_MESSAGE_RECEIVED: "arrivals", INTERACTION_MESSAGE_SENT: message?.author === "USER" && "answers" }[topic];
    if (name) this.#span(Date.parse(at))[name]++;
    const { needed, deadline } = interaction?.attention ?? {};
    if (needed && deadline) this.#deadlines.set(interactionId, Date.parse(deadline));
    else this.#deadlines.delete(interactionId);
    this.dispatchEvent(new Event("change"));
  }

  // A bar shows the most that waited in its time.
  #pass() {
    const span = this.#span(Date.now());
    if (this.#waiting !== null) span.waiting = Math.max(span.waiting ?? 0, this.#waiting);
    for (const number of this.#spans.keys()) if (number <= spanOf(Date.now()) - BARS) this.#spans.delete(number);
    this.#keep();
    this.dispatchEvent(new Event("change"));
  }

  #span(time) {
    const number = spanOf(time);
    if (!this.#spans.has(number)) this.#spans.set(number, { arrivals: 0, answers: 0, waiting: null });
    return this.#spans.get(number);
  }

  #keep() {
    const kept = { viewerId: this.#viewerId, at: Date.now(), cursor: this.#cursor, spans: [...this.#spans] };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  }

  #resume() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (kept?.viewerId !== this.#viewerId || Date.now() - kept.at > BARS * SPAN) return;
    this.#spans = new Map(kept.spans);
    this.#cursor = kept.cursor;
    this.#isResumed = true;
  }
}
