// Who of the team is present.

import { PRESENCE_CHANGES, PRESENT } from "../graph/documents.js";

/** Follows who is present; `take` is given the names, in their order, or null where they cannot be read. Returns the function that ends it. */
export function followPresent(graph, take) {
  const present = new Map();
  const tell = () => take([...present.values()].sort((one, other) => one.localeCompare(other)));
  return graph.follow({
    read: async () => {
      const { events, users } = await graph.query(PRESENT);
      present.clear();
      for (const { id, name } of users.nodes) present.set(id, name);
      tell();
      return events.cursor;
    },
    subscription: PRESENCE_CHANGES,
    take: ({ userId, present: isPresent, user }) => {
      if (isPresent && user) present.set(userId, user.name);
      else present.delete(userId);
      tell();
    },
    fail: () => take(null),
  });
}
