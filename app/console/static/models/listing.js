// A list of the administration: read page by page, and read again when something may have changed.

const MOST_PAGES = 10; // of 50 items: a page that is open for days keeps no more
const NOTHING = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } }; // what it belonged to is gone
const PAUSE = 300; // milliseconds in which events that follow closely are answered by one reading

/**
 * The items of one list. Fires `change` when they are others, or when `fault`, the Refused that stopped the reading, is
 * another. `list` has the `document`, `of(data)` the connection in its answer, and `changes`, a subscription, where the
 * graph has one; a list without is read again after a command, after a break, and when the page is seen again.
 */
export class Listing extends EventTarget {
  items = [];
  hasMore = false;
  isRead = false;
  fault = null;
  #graph;
  #list;
  #variables;
  #pages = 1;
  #asked = 0;
  #timer = 0;
  #wasBroken = false;
  #stop = () => {};

  constructor(graph, list, variables = {}) {
    super();
    this.#graph = graph;
    this.#list = list;
    this.#variables = variables;
    document.addEventListener("visibilitychange", this);
    graph.connection.addEventListener("state", this);
    if (!list.changes) this.again();
    else {
      this.#stop = graph.follow({
        read: () => this.#read(),
        subscription: list.changes,
        variables,
        take: () => this.later(),
        fail: (error) => this.#fail(error),
      });
    }
  }

  /** Whether the list is as long as the page shows it. */
  get isFull() {
    return this.#pages === MOST_PAGES;
  }

  handleEvent({ type }) {
    const { state } = this.#graph.connection;
    if (type === "visibilitychange") {
      if (document.visibilityState === "visible") this.later();
    } else if (state !== "live") this.#wasBroken = this.isRead || this.fault !== null;
    else if (this.#wasBroken) {
      this.#wasBroken = false;
      this.again();
    }
  }

  /** Reads it again, as many pages as are shown. */
  async again() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    try {
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads it again soon, once for all who ask meanwhile. */
  later() {
    this.#timer ||= setTimeout(() => this.again(), PAUSE);
  }

  /** Reads one page more. */
  more() {
    this.#pages = Math.min(this.#pages + 1, MOST_PAGES);
    return this.again();
  }

  /** Narrows it, from the first page on. */
  narrow(variables) {
    this.#variables = { ...this.#variables, ...variables };
    this.#pages = 1;
    return this.again();
  }

  close() {
    this.#asked++;
    this.#stop();
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this);
    this.#graph.connection.removeEventListener("state", this);
  }

  async #read() {
    const asked = ++this.#asked;
    const items = [];
    let cursor, page, after;
    for (let number = 0; number < this.#pages && (!page || page.hasNextPage); number++) {
      const found = this.#list.of(await this.#graph.query(this.#list.document, { ...this.#variables, after })) ?? NOTHING;
      cursor ??= found.cursor; // of the first page: nothing that happens while the others are read is missed
      items.push(...found.nodes);
      page = found.pageInfo;
      after = page.endCursor;
    }
    if (asked !== this.#asked) return cursor;
    this.items = [...new Map(items.map((item) => [item.id, item])).values()];
    this.hasMore = page.hasNextPage;
    this.isRead = true;
    this.#tell(null);
    return cursor;
  }

  #fail(error) {
    if (error.code === undefined) throw error; // no refusal, but a fault of ours
    this.#tell(error);
  }

  #tell(fault) {
    this.fault = fault;
    this.dispatchEvent(new Event("change"));
  }
}
