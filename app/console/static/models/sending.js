// What the viewer sends: shown at once, sent in order, recognised when it comes back.

import { ADD_NOTE, SEND } from "../graph/documents.js";
import { newKey } from "./repeating.js";

/** A message or a note on its way. `state` is "sending" or "failed"; `error` is the Refused that it failed with. */
class Pending {
  id = newKey();
  at = new Date().toISOString();
  state = "sending";
  error = null;

  constructor(text, isNote) {
    this.text = text;
    this.isNote = isNote;
  }
}

/**
 * The messages and notes to one interaction that are on their way, also when it is not open any more. Fires `change`,
 * `sent` with each payload, and `failed`.
 */
export class Sending extends EventTarget {
  pending = [];
  latest = () => null; // the id of the latest message that the viewer sees, or null
  #graph;
  #interactionId;
  #last = Promise.resolve();
  #followed = new Map(); // each message that was sent from here, and the message that it came behind

  constructor(graph, interactionId) {
    super();
    this.#graph = graph;
    this.#interactionId = interactionId;
  }

  send(text, isNote) {
    const pending = new Pending(text, isNote);
    this.pending.push(pending);
    this.#enqueue(pending, {});
  }

  /** Sends again what failed, with the same idempotency key: what did arrive the first time is not sent twice. */
  again(pending, more = {}) {
    Object.assign(pending, { state: "sending", error: null });
    this.#enqueue(pending, more);
  }

  discard(pending) {
    this.pending = this.pending.filter((each) => each !== pending);
    this.#changed();
  }

  /** An event with this `clientMutationId` has come: if it is the echo of something sent, that is no longer pending. */
  echoed(clientMutationId, message) {
    const found = this.pending.find(({ id }) => id === clientMutationId);
    if (!found) return;
    if (message) this.#followed.set(message.id, found.seen);
    this.discard(found);
  }

  // One after the other, so that messages arrive as they were written.
  #enqueue(pending, more) {
    this.#last = this.#last.then(() => this.#deliver(pending, more));
    this.#changed();
  }

  async #deliver(pending, more) {
    const { id, text, isNote } = pending;
    const same = { id: this.#interactionId, clientMutationId: id, idempotencyKey: id };
    try {
      const payload = isNote
        ? await this.#graph.mutate(ADD_NOTE, { ...same, text })
        : await this.#graph.mutate(SEND, { ...same, content: { text: { content: text } }, ...this.#seen(pending), ...more });
      if (payload.message) this.#followed.set(payload.message.id, pending.seen);
      this.dispatchEvent(new CustomEvent("sent", { detail: payload }));
      this.discard(pending);
    } catch (error) {
      const isBehindOwn = error.code === "NEWER_MESSAGE" && this.#isOwnSince(pending.seen);
      // What is refused is not kept under its key, so a next try may say anew what has been seen.
      if (error.code !== "UNREACHABLE") pending.seen = undefined;
      if (isBehindOwn) return this.#deliver(pending, more);
      Object.assign(pending, { state: "failed", error });
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
      this.#changed();
    }
  }

  // It stays the same when no answer came: under one key the server takes one request.
  #seen(pending) {
    pending.seen ??= this.latest();
    return pending.seen ? { ifLatestMessageId: pending.seen } : {};
  }

  // Whether what has come since then was sent from here: while no answer came, the viewer could write more.
  #isOwnSince(seen) {
    let id = this.latest();
    if (id === seen) return false;
    while (this.#followed.has(id)) {
      id = this.#followed.get(id);
      if (id === seen) return true;
    }
    return false;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * What is on its way to each interaction: it goes on, whichever is open meanwhile. `failed` is called with the id of an
 * interaction that is not open, and why. Nothing is kept of those that are not open and to which nothing is on its way.
 */
export class Sendings {
  #graph;
  #failed;
  #all = new Map();
  #openId = null;

  constructor(graph, failed) {
    this.#graph = graph;
    this.#failed = failed;
  }

  get size() {
    return this.#all.size;
  }

  /** Whether something is on its way, or waits to be tried again. */
  get isBusy() {
    return [...this.#all.values()].some(({ pending }) => pending.length);
  }

  /** That of the interaction that is open from now on; null for none. */
  open(id) {
    this.#openId = id;
    for (const [each, { pending }] of this.#all) if (each !== id && !pending.length) this.#all.delete(each);
    if (id === null) return null;
    if (!this.#all.has(id)) {
      const sending = new Sending(this.#graph, id);
      sending.addEventListener("failed", ({ detail }) => id !== this.#openId && this.#failed(id, detail));
      this.#all.set(id, sending);
    }
    return this.#all.get(id);
  }
}
