// The queue of one filter: read once, then kept by its items.

import { QUEUE, QUEUE_CHANGES } from "../graph/documents.js";
import { applied, isBefore } from "./lists.js";

const PAGE = 100;
const PAGES = 5; // more than anybody reads
const MOST = PAGE * PAGES;
const TRIES = 3;

/** The filter of the graph for what the person has chosen. Arguments that are left out do not narrow. */
export const filterOf = ({ kinds, whose, teams, labels }) => ({
  ...(kinds.length && { kinds }),
  ...(teams.length && { teamIds: teams }),
  ...(labels.length && { labels }),
  ...(whose === "mine" && { assignee: { userId: "me" } }),
  ...(whose === "free" && { assignee: { userIdOrNobody: "me" } }),
});

/**
 * Who needs a human. Fires `change` when the list is another, `arrival` with an item that calls for somebody, and
 * `leave` with what has left and why; `fault` when the queue cannot be read.
 */
export class Queue extends EventTarget {
  nodes = [];
  hasMore = false;
  isRead = false;
  #graph;
  #filter;
  #stop;
  #taken = 0;
  #refilling = false;

  constructor(graph, choice) {
    super();
    const filter = filterOf(choice);
    this.#graph = graph;
    this.#filter = filter;
    this.#stop = graph.follow({
      read: async () => this.#show(await this.#read()),
      subscription: QUEUE_CHANGES,
      variables: { filter },
      take: (item) => this.#take(item),
      fail: (error) => this.#tell("fault", error),
    });
  }

  /** How many wait at each level. */
  get counts() {
    const counts = {};
    for (const { attention } of this.nodes) counts[attention.level] = (counts[attention.level] ?? 0) + 1;
    return counts;
  }

  close() {
    this.#stop();
  }

  /** An interaction as a mutation's payload has it: at once, without waiting for its event. */
  put(interaction) {
    const there = this.nodes.findIndex(({ id }) => id === interaction.id);
    // What needs nobody any more leaves with the item that says so, and why.
    if (there < 0 || !interaction.attention.needed || this.nodes[there].version > interaction.version) return;
    this.nodes = this.nodes.with(there, { ...this.nodes[there], ...interaction });
    this.#tell("change");
  }

  async #read() {
    const nodes = [];
    let cursor, page, after;
    for (let number = 0; number < PAGES && (!page || page.hasNextPage); number++) {
      const { attentionQueue: found } = await this.#graph.query(QUEUE, { filter: this.#filter, after });
      cursor ??= found.cursor; // of the first page: nothing that happens while the others are read is missed
      nodes.push(...found.nodes);
      page = found.pageInfo;
      after = page.endCursor;
    }
    return { cursor, nodes: [...new Map(nodes.map((node) => [node.id, node])).values()], hasMore: page.hasNextPage };
  }

  #show({ cursor, nodes, hasMore }) {
    this.nodes = nodes;
    this.hasMore = hasMore;
    this.isRead = true;
    this.#tell("change");
    return cursor;
  }

  // What goes on behind the end of a list that became short is read. A reading that an item has overtaken is dropped.
  async #refill() {
    if (this.#refilling || !this.hasMore || this.nodes.length > MOST / 2) return;
    this.#refilling = true;
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const taken = this.#taken;
        const found = await this.#read();
        if (taken === this.#taken) return void this.#show(found);
      }
    } catch {
      // What is shown stays; the next item brings another chance.
    } finally {
      this.#refilling = false;
    }
  }

  #take(item) {
    this.#taken++;
    // An item has the state of now, which may be a later one: that it has LEFT is on its way.
    if (item.change !== "LEFT" && item.interaction && !item.interaction.attention.needed) return;
    const was = this.nodes.find(({ id }) => id === item.interactionId);
    this.nodes = applied(this.nodes, item, isBefore, this.hasMore);
    if (this.nodes.length > MOST) {
      this.nodes = this.nodes.slice(0, MOST);
      this.hasMore = true;
    }
    const isNeeded = item.change !== "LEFT" && item.interaction;
    if (was && !isNeeded) this.#tell("leave", { was, item });
    if (isNeeded && CALLS.includes(item.topic) && !(item.topic === "ATTENTION_CHANGED" && !rises(item))) {
      this.#tell("arrival", item);
    }
    this.#tell("change");
    this.#refill();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const CALLS = ["ATTENTION_RAISED", "ATTENTION_RENEWED", "ATTENTION_CHANGED"];

/** The levels, the most urgent first. */
export const LEVELS = ["URGENT", "HIGH", "NORMAL", "LOW"];

const rises = ({ levelBefore, levelAfter }) => LEVELS.indexOf(levelAfter) < LEVELS.indexOf(levelBefore);
