// One WebSocket of graphql-transport-ws: many subscriptions, kept through every break.

import { endpoint } from "../../pages/client.js";
import { SignedOut } from "../../pages/signin.js";

const PROTOCOL = "graphql-transport-ws";
const UNAUTHORIZED = 4401; // the caller is refused: the same key will not do better
const PING_EVERY = 10_000;
const PONG_WITHIN = 5_000;
const ACK_WITHIN = 10_000;
const LONGEST_WAIT = 15_000;

/** How long to wait before the n-th try, in milliseconds: longer each time, and not the same for everybody. */
export const wait = (tries) => (0.5 + Math.random() / 2) * Math.min(500 * 2 ** tries, LONGEST_WAIT);

/**
 * A connection that comes back by itself. Fires `state`, when `state` is another, and `refused`, when the caller is.
 * `headers()` is asked for each connection, so that a token may be fresh.
 *
 * `state` is "connecting" at first, then "live", and while the connection is broken "reconnecting", or "offline" where
 * the browser knows that there is no network.
 */
export class Socket extends EventTarget {
  state = "connecting";
  #headers;
  #socket = null;
  #isReady = false;
  #subscriptions = new Map();
  #number = 0;
  #tries = 0;
  #retry = 0;
  #pinging = 0;
  #silence = 0;
  #closed = false;

  constructor(headers) {
    super();
    this.#headers = headers;
    addEventListener("online", this);
    addEventListener("offline", this);
    document.addEventListener("visibilitychange", this);
    this.#connect();
  }

  /**
   * Begins a subscription, and begins it again after each break. `request()` is asked each time, so that it can go on
   * from the latest cursor. `next` is given each answer, `end` the errors with which the server ended it, or null.
   * Returns the function that ends it.
   */
  subscribe(request, { next, end }) {
    const id = String(++this.#number);
    this.#subscriptions.set(id, { request, next, end });
    if (this.#isReady) this.#begin(id);
    return () => {
      if (this.#subscriptions.delete(id) && this.#isReady) this.#send({ id, type: "complete" });
    };
  }

  close() {
    this.#closed = true;
    this.#subscriptions.clear();
    removeEventListener("online", this);
    removeEventListener("offline", this);
    document.removeEventListener("visibilitychange", this);
    clearTimeout(this.#retry);
    this.#drop(1000);
  }

  /** A network that went or came, or a page that is seen again, perhaps after a sleep. */
  handleEvent({ type }) {
    if (this.#closed) return;
    if (type === "offline") this.#lose();
    else if (!this.#socket) this.#connect();
    else if (this.#isReady && document.visibilityState === "visible") this.#ping();
  }

  #connect() {
    clearTimeout(this.#retry);
    const address = new URL(endpoint);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, PROTOCOL);
    this.#socket = socket;
    this.#silence = setTimeout(() => this.#lose(), ACK_WITHIN);
    socket.onopen = () => this.#initiate(socket);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#lose(code);
  }

  async #initiate(socket) {
    let payload, error;
    try {
      payload = await this.#headers();
    } catch (caught) {
      error = caught;
    }
    if (socket !== this.#socket) return;
    if (error) this.#lose(error instanceof SignedOut ? UNAUTHORIZED : undefined);
    else this.#send({ type: "connection_init", payload });
  }

  #take({ type, id, payload }) {
    if (type === "connection_ack") {
      clearTimeout(this.#silence);
      this.#isReady = true;
      this.#tries = 0;
      this.#pinging = setInterval(() => this.#ping(), PING_EVERY);
      for (const each of this.#subscriptions.keys()) this.#begin(each);
      this.#become("live");
    } else if (type === "ping") this.#send({ type: "pong" });
    else if (type === "pong") clearTimeout(this.#silence);
    else if (type === "next") this.#subscriptions.get(id)?.next(payload);
    else if (type === "error" || type === "complete") {
      const ended = this.#subscriptions.get(id);
      this.#subscriptions.delete(id);
      ended?.end(payload ?? null);
    }
  }

  #begin(id) {
    this.#send({ id, type: "subscribe", payload: this.#subscriptions.get(id).request() });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  // A network that is gone says nothing: what is not answered in time has lost the connection.
  #ping() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), PONG_WITHIN);
    this.#send({ type: "ping" });
  }

  #drop(code) {
    clearTimeout(this.#silence);
    clearInterval(this.#pinging);
    this.#isReady = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #lose(code) {
    this.#drop();
    if (this.#closed) return;
    if (code === UNAUTHORIZED) {
      this.close();
      this.dispatchEvent(new Event("refused"));
      return;
    }
    this.#become(navigator.onLine ? "reconnecting" : "offline");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), wait(this.#tries++));
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
