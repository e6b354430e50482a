import { stringifyVariables } from "@urql/core";
import type { Cache, CacheExchangeOpts, Link } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { connections, possibleTypes, valueTypes } from "./graph.js";
import type { Item } from "./lists.js";

const pages = relayPagination();

/**
 * Options of `cacheExchange` of Graphcache: with `possibleTypes`, because with `schema` it throws at the first object of
 * a type that the schema does not have, as a server that is newer than the page sends it.
 */
export const cacheOptions: CacheExchangeOpts = {
  possibleTypes,
  // With these it tries to write every fragment into every object, and says so of each field that an object has not.
  logger: (severity, message) => {
    if (!message.startsWith("Invalid undefined:")) console[severity](message);
  },
  keys: {
    ...Object.fromEntries(valueTypes.map((type) => [type, () => null])),
    InteractionEvent: () => null, // an item of a subscription is not kept
    Viewer: () => "viewer", // there is one
  },
  resolvers: Object.fromEntries(
    Object.entries(connections).map(([type, names]) => [type, Object.fromEntries(names.map((name) => [name, pages]))]),
  ),
  updates: {
    Subscription: {
      attentionChanged: ({ attentionChanged }, { filter }, cache) =>
        followQueue(cache, filter, attentionChanged as unknown as Item<{ __typename: string; id: string }>),
    },
  },
};

/** Brings the pages of the queue with this filter up to date. The item's interaction needs `id` and `queueKey`. */
function followQueue(cache: Cache, filter: unknown, item: Item<{ __typename: string; id: string }>): void {
  const keyOf = (node: string) => String(cache.resolve(cache.resolve(node, "attention") as string, "queueKey"));
  const isLeft = (node: string) => cache.resolve(node, "id") === item.interactionId;
  const loaded = cache
    .inspectFields("Query")
    .filter(({ fieldName, arguments: given }) => fieldName === "attentionQueue" && isSame(given?.filter, filter))
    .map(({ fieldKey }) => cache.resolve("Query", fieldKey) as string)
    .map((page) => ({ page, nodes: (cache.resolve(page, "nodes") as string[]).filter((node) => !isLeft(node)) }));
  const node = item.interaction && cache.keyOfEntity(item.interaction);
  if (item.change !== "LEFT" && node) {
    const key = keyOf(node);
    const later = loaded
      .flatMap(({ nodes }) => nodes.filter((other) => keyOf(other) > key))
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    const place = loaded.find(({ nodes }) => later[0] && nodes.includes(later[0]));
    if (place) place.nodes.splice(place.nodes.indexOf(later[0] as string), 0, node);
    else loaded.find(({ page }) => !hasMore(cache, page))?.nodes.push(node); // or it is left to a page not yet loaded
  }
  for (const { page, nodes } of loaded) cache.link(page, "nodes", nodes as unknown as Link<string>);
}

const isSame = (one: unknown, other: unknown) => stringifyVariables(one ?? {}) === stringifyVariables(other ?? {});

const hasMore = (cache: Cache, page: string) =>
  Boolean(cache.resolve(cache.resolve(page, "pageInfo") as string, "hasNextPage"));
