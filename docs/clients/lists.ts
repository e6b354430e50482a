/** What an item of `attentionChanged` or `interactionChanged` says of a list; select these three fields. */
export interface Item<Node> {
  change: string;
  interactionId: string;
  interaction?: Node | null;
}

/** What the attention queue is ordered by. */
export interface Queued {
  id: string;
  attention: { queueKey: string };
}

/** Whether one interaction comes before another in the attention queue. Compared by code units, as the key wants it. */
export const isBefore = (one: Queued, other: Queued): boolean => one.attention.queueKey < other.attention.queueKey;

/**
 * A list after an item: what has LEFT is taken out, what has ENTERED or was UPDATED stands where it belongs.
 *
 * `hasMore` says that the list goes on behind what was loaded; an interaction that belongs there is left to that page.
 */
export function applied<Node extends { id: string }>(
  nodes: readonly Node[],
  item: Item<Node>,
  before: (one: Node, other: Node) => boolean,
  hasMore = false,
): Node[] {
  const others = nodes.filter(({ id }) => id !== item.interactionId);
  const node = item.interaction;
  if (item.change === "LEFT" || !node) return others;
  const place = others.findIndex((other) => before(node, other));
  if (place >= 0) return others.toSpliced(place, 0, node);
  return hasMore ? others : [...others, node];
}
