// One open interaction: its head, messages and notes, kept by its events.

import { ASSIGNABLE, CHANGES, EARLIER, HISTORY, INTERACTION, INTERACTION_CHANGES, MARK_READ, REACT, SAY_TYPING, TYPING } from "../graph/documents.js";
import { knownLabels } from "./choices.js";

const TYPING_EVERY = 4_000;
const MOST = 2_000; // messages and notes: one that is open for days keeps no more, and reads those before them again
const NOTHING = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };

// Events about many messages, whose status and marks are read again.
const ABOUT_MANY = ["INTERACTION_READ", "INTERACTION_MESSAGE_SENT", "INTERACTION_FETCHED"];

/**
 * An interaction that the viewer looks at. Fires `change` when anything of it is another, and `fault` with a Refused.
 * `head` is null until it is read; `isGone` says that it is not there, or not for this viewer.
 */
export class OpenInteraction extends EventTarget {
  head = null;
  messages = [];
  notes = [];
  typing = new Map();
  isGone = false;
  hasEarlier = false;
  #graph;
  #earlier = null;
  #typed = 0;
  #taken = 0;
  #refreshing = null;
  #stops;

  /** `sending` is what is on its way to it, which outlives this. */
  constructor(graph, id, sending) {
    super();
    this.id = id;
    this.#graph = graph;
    this.sending = sending;
    sending.latest = () => this.messages.at(-1)?.id ?? null;
    sending.addEventListener("change", this);
    sending.addEventListener("sent", this);
    const variables = { id };
    this.#stops = [
      graph.follow({
        read: () => this.#read(),
        subscription: INTERACTION_CHANGES,
        variables,
        take: (item) => this.#take(item),
        fail: (error) => this.#fail(error),
      }),
      graph.hear(TYPING, variables, (typing) => this.#hearTyping(typing)),
    ];
  }

  /** Messages and notes in the order in which they are read. */
  get entries() {
    const from = this.hasEarlier && this.messages.length ? Date.parse(this.messages[0].sentAt) : 0;
    const notes = this.notes.filter(({ createdAt }) => Date.parse(createdAt) >= from).map((note) => ({ at: note.createdAt, note }));
    const messages = this.messages.map((message) => ({ at: message.sentAt, message }));
    return [...messages, ...notes].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  }

  close() {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#typed);
    for (const { timer } of this.typing.values()) clearTimeout(timer);
    const latest = this.sending.latest(); // what is still on its way keeps this, and not all that was read
    this.sending.latest = () => latest;
    this.sending.removeEventListener("change", this);
    this.sending.removeEventListener("sent", this);
  }

  /** What becomes of what is on its way. */
  handleEvent({ type, detail }) {
    if (type === "sent") this.#receive(detail);
    this.#changed();
  }

  /** Makes one of the mutations of CHANGES. Throws Refused; after a conflict it shows what is there now. */
  async change(name, more = {}) {
    try {
      if (name === "close") await this.#markRead();
      const { interaction } = await this.#graph.mutate(CHANGES[name], { id: this.id, ...more });
      if (interaction) this.#become(interaction);
      this.#changed();
      return interaction;
    } catch (error) {
      if (error.code === "VERSION_CONFLICT" || error.code === "ALREADY_CLAIMED") await this.#refresh();
      throw error;
    }
  }

  /** The users to whom it can be assigned: the first whose names have these words. Throws Refused. */
  async assignable(search) {
    const { interaction } = await this.#graph.query(ASSIGNABLE, { id: this.id, ...(search && { search }) });
    return interaction?.assignableUsers ?? NOTHING;
  }

  /** A page of its history, the newest first; `after` is the end of the page before, or null. Throws Refused. */
  async history(after) {
    const { interaction } = await this.#graph.query(HISTORY, { id: this.id, after });
    return interaction?.history ?? NOTHING;
  }

  /** The labels that interactions have. */
  knownLabels() {
    return knownLabels(this.#graph);
  }

  /** Reads the messages before those that are shown. Throws Refused. */
  async readEarlier() {
    const { interaction } = await this.#graph.query(EARLIER, { id: this.id, before: this.#earlier });
    const { nodes, pageInfo } = interaction.messages;
    this.messages = merged(nodes, this.messages);
    this.#place(pageInfo);
    this.#changed();
  }

  /** Reacts to a message by an emoji, in place of another; null takes it back. Throws Refused. */
  async react(messageId, reaction) {
    this.#receive(await this.#graph.mutate(REACT, { id: messageId, reaction }));
    this.#changed();
  }

  /** Tells the others that the viewer is typing, now and then. */
  sayTyping() {
    if (this.#typed || !this.head?.viewerCan.type) return;
    this.#typed = setTimeout(() => (this.#typed = 0), TYPING_EVERY);
    this.#graph.mutate(SAY_TYPING, { id: this.id }).catch(() => {}); // nobody minds a hint that is lost
  }

  // Closing ends the wait of a customer whose messages were read, and these have been.
  async #markRead() {
    const { viewerCan, unreadCustomerMessagesCount } = this.head;
    const upToMessageId = this.messages.at(-1)?.id;
    if (!viewerCan.markRead || !unreadCustomerMessagesCount || !upToMessageId) return;
    await this.#graph.mutate(MARK_READ, { id: this.id, upToMessageId });
  }

  async #read() {
    const { interaction } = await this.#graph.query(INTERACTION, { id: this.id });
    return this.#apply(interaction);
  }

  #apply(interaction) {
    this.isGone = !interaction;
    if (!interaction) {
      this.#changed();
      return undefined;
    }
    const { messages, notes, ...head } = interaction;
    const isFirst = !this.head;
    this.head = head;
    // Those before the page that was read are kept, where it joins them: they were read by hand.
    const place = this.messages.findIndex(({ id }) => id === messages.nodes[0]?.id);
    const before = this.messages.length > MOST ? [] : this.messages.slice(0, Math.max(place, 0));
    this.messages = merged(before, messages.nodes);
    this.notes = notes.nodes;
    if (isFirst || !before.length) this.#place(messages.pageInfo);
    this.#changed();
    return messages.cursor;
  }

  // Reads it again beside its events. An answer that an event has overtaken is dropped for another.
  #refresh() {
    this.#refreshing ??= (async () => {
      try {
        let taken, found;
        do {
          taken = this.#taken;
          found = await this.#graph.query(INTERACTION, { id: this.id });
        } while (taken !== this.#taken);
        this.#apply(found.interaction);
      } catch {
        // What is shown stays; the next event brings another chance.
      } finally {
        this.#refreshing = null;
      }
    })();
    return this.#refreshing;
  }

  #take(item) {
    this.#taken++;
    if (item.clientMutationId) this.sending.echoed(item.clientMutationId, item.message);
    if (!item.interaction) this.isGone = true;
    else this.#become(item.interaction);
    if (item.message) this.messages = merged(this.messages, [item.message]);
    else if (item.messageNodeId) this.messages = this.messages.filter(({ id }) => id !== item.messageNodeId);
    if (item.note) this.notes = merged(this.notes, [item.note]).slice(-MOST);
    else if (item.noteNodeId) this.notes = this.notes.filter(({ id }) => id !== item.noteNodeId);
    if (item.message?.user) this.typing.delete(item.message.user.id);
    if (ABOUT_MANY.includes(item.topic) || this.messages.length > MOST) this.#refresh();
    this.#changed();
  }

  #receive({ message, note, interaction }) {
    if (message) this.messages = merged(this.messages, [message]);
    if (note) this.notes = merged(this.notes, [note]);
    if (interaction) this.#become(interaction);
  }

  // An answer and an event may overtake each other: the older one does not win.
  #become(head) {
    if (!this.head || head.version >= this.head.version) this.head = { ...this.head, ...head };
  }

  #hearTyping({ user, until }) {
    if (!user) return;
    const left = Date.parse(until) - Date.now();
    clearTimeout(this.typing.get(user.id)?.timer);
    this.typing.delete(user.id);
    if (left > 0) {
      const timer = setTimeout(() => this.typing.delete(user.id) && this.#changed(), left);
      this.typing.set(user.id, { name: user.name, timer });
    }
    this.#changed();
  }

  #place({ hasPreviousPage, startCursor }) {
    this.hasEarlier = hasPreviousPage;
    this.#earlier = startCursor;
  }

  #fail(error) {
    if (error.code === "NOT_FOUND") this.isGone = true;
    this.dispatchEvent(new CustomEvent("fault", { detail: error }));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

// What is new takes the place of what it is a later state of, or comes behind.
function merged(old, fresh) {
  const found = new Map(old.map((each) => [each.id, each]));
  for (const each of fresh) found.set(each.id, each);
  return [...found.values()];
}
