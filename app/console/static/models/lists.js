// A list after an item: what enters, changes and leaves. docs/clients/lists.ts, without types.

/** Whether one interaction comes before another in the attention queue. Compared by code units, as the key wants it. */
export const isBefore = (one, other) => one.attention.queueKey < other.attention.queueKey;

/** The nodes after an item. `hasMore` says that the list goes on behind what was read; what belongs there is left out. */
export function applied(nodes, item, before, hasMore = false) {
  const others = nodes.filter(({ id }) => id !== item.interactionId);
  const node = item.interaction;
  if (item.change === "LEFT" || !node) return others;
  const place = others.findIndex((other) => before(node, other));
  if (place >= 0) return [...others.slice(0, place), node, ...others.slice(place)];
  return hasMore ? others : [...others, node];
}
