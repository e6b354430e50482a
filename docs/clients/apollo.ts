import {
  type ApolloCache,
  type DocumentNode,
  type FieldPolicy,
  type InMemoryCacheConfig,
  isReference,
  type OperationVariables,
  type TypePolicies,
} from "@apollo/client";
import { connections, possibleTypes, valueTypes } from "./graph.js";
import { applied, isBefore, type Item, type Queued } from "./lists.js";

interface PageInfo {
  startCursor?: string | null;
  endCursor?: string | null;
  hasPreviousPage?: boolean;
  hasNextPage?: boolean;
}

interface Page {
  cursor?: string;
  nodes?: readonly object[];
  edges?: readonly object[];
  pageInfo?: PageInfo;
}

const PLACE = ["first", "after", "last", "before"];

/** Keeps the pages of a connection as one list, whether `nodes` or `edges` are selected. */
const pages: FieldPolicy<Page | null> = {
  keyArgs: (args) =>
    Object.keys(args ?? {})
      .filter((name) => !PLACE.includes(name))
      .sort(),
  merge(known, page, { args, readField }) {
    const isNext = Boolean(args?.after);
    if (!known || !page || !(isNext || args?.before)) return page;
    const idOf = (item: object) => {
      const node = readField<object>("node", item as never) ?? item;
      return isReference(node) ? node.__ref : node;
    };
    const joined = (have: readonly object[] = [], more: readonly object[] = []) => {
      const there = new Set(have.map(idOf));
      const others = more.filter((item) => !there.has(idOf(item)));
      return isNext ? [...have, ...others] : [...others, ...have];
    };
    const [first, last] = isNext ? [known.pageInfo, page.pageInfo] : [page.pageInfo, known.pageInfo];
    return {
      ...known,
      ...page,
      // The oldest: what a subscription goes on from must not be newer than any page.
      ...(known.cursor && { cursor: known.cursor }),
      ...(page.nodes && { nodes: joined(known.nodes, page.nodes) }),
      ...(page.edges && { edges: joined(known.edges, page.edges) }),
      ...(page.pageInfo && {
        pageInfo: {
          ...page.pageInfo,
          startCursor: first?.startCursor,
          hasPreviousPage: first?.hasPreviousPage,
          endCursor: last?.endCursor,
          hasNextPage: last?.hasNextPage,
        },
      }),
    };
  },
};

// Each of these is one part of its owner, which components may select different fields of; the others are replaced.
const PARTS = ["Attention", "CompactionConfig", "Presence", "SessionContextUsage", "ViewerCan"];
const MERGED = [...PARTS, ...(possibleTypes.MessageContent ?? [])];

const typePolicies: TypePolicies = {
  ...Object.fromEntries(valueTypes.map((type) => [type, { keyFields: false, merge: MERGED.includes(type) }])),
  // Items of subscriptions would be kept for as long as the page is open.
  InteractionEvent: { keyFields: false, merge: false },
};
for (const [type, names] of Object.entries(connections)) {
  typePolicies[type] = { ...typePolicies[type], fields: Object.fromEntries(names.map((name) => [name, pages])) };
}
typePolicies.Viewer = { ...typePolicies.Viewer, keyFields: [] }; // there is one

/** Options of `new InMemoryCache`. A type that is not known, of a server that is newer, matches every interface. */
export const cacheOptions: InMemoryCacheConfig = {
  possibleTypes: Object.fromEntries(Object.entries(possibleTypes).map(([name, types]) => [name, [...types, ".*"]])),
  typePolicies,
};

/** Brings a queue that was read by this query up to date by an item of `attentionChanged` with the same filter. */
export function followQueue<Node extends Queued>(
  cache: ApolloCache,
  query: DocumentNode,
  variables: OperationVariables,
  item: Item<Node>,
): void {
  type Queue = { attentionQueue: { nodes: Node[]; pageInfo?: PageInfo } };
  cache.updateQuery<Queue>({ query, variables }, (data) => {
    if (!data) return undefined;
    const { nodes, pageInfo } = data.attentionQueue;
    const after = applied(nodes, item, isBefore, pageInfo?.hasNextPage);
    return { attentionQueue: { ...data.attentionQueue, nodes: after } };
  });
  if (item.change === "LEFT") cache.gc();
}
