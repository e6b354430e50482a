import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { buildSchema, parse, print, validate } from "graphql";
import { createClient } from "graphql-ws";
import {
  ADMIN_KEY,
  browserSockets,
  check,
  ENDPOINT,
  finish,
  graph,
  inbox,
  mutate,
  newSession,
  pageOf,
  pause,
  raise,
} from "./harness.mjs";

const HEADERS = { authorization: `Bearer ${ADMIN_KEY}` };
const SESSIONS = { kinds: ["SESSION"] };
const compile = () => execFileSync("node_modules/.bin/tsc", ["--project", "tsconfig.json"], { encoding: "utf8" });

// What the code of the page has around it.
const GIVEN = `import type { ApolloClient, DocumentNode, TypedDocumentNode } from "@apollo/client";
import type { Item, Queued } from "./lists.js";
declare const apollo: ApolloClient;
declare const [filter, after, QUEUE]: [object, string, DocumentNode];
declare const QUEUE_CHANGES: TypedDocumentNode<{ attentionChanged: Item<Queued> }>;
`;

await browserSockets();
const sockets = createClient({ url: ENDPOINT.replace("http", "ws"), connectionParams: HEADERS });
const document = parse(readFileSync("kit/interactions.graphql", "utf8"));

// An operation of the kit with the fragments that it names.
function operation(name) {
  const wanted = new Set();
  const add = (node) => {
    wanted.add(node);
    for (const [, spread] of print(node).matchAll(/\.\.\.(\w+)/g)) {
      const found = document.definitions.find(
        (each) => each.kind === "FragmentDefinition" && each.name.value === spread,
      );
      if (found) add(found);
    }
  };
  add(document.definitions.find((each) => each.kind === "OperationDefinition" && each.name.value === name));
  return { kind: "Document", definitions: [...wanted] };
}

await check("the compiler finds nothing to object to in the kit's code and that of docs/clients.md", async () => {
  const shown = [...pageOf("docs/clients.md").matchAll(/^```ts\n(.*?)^```/gms)];
  assert.ok(shown.length > 0);
  for (const [number, [, code]] of shown.entries()) writeFileSync(`kit/page${number}.ts`, GIVEN + code);
  try {
    compile();
  } catch ({ stdout }) {
    assert.fail(stdout);
  }
});

await check("the kit's operations are valid, and each is used", async () => {
  assert.deepEqual(validate(buildSchema(readFileSync("schema.graphql", "utf8")), document), []);
  assert.deepEqual(readdirSync(`${process.env.ROOT}/docs/clients`), [
    "apollo.ts",
    "graph.ts",
    "interactions.graphql",
    "known.ts",
    "lists.ts",
    "urql.ts",
  ]);
});

const { possibleTypes } = await import("./made/graph.js");
const { known } = await import("./made/known.js");
const apolloKit = await import("./made/apollo.js");
const urqlKit = await import("./made/urql.js");

await check("possibleTypes are those that the server tells of", async () => {
  const { __schema } = await graph("{ __schema { types { name kind possibleTypes { name } } } }");
  const told = __schema.types
    .filter(({ kind }) => ["INTERFACE", "UNION"].includes(kind))
    .map(({ name, possibleTypes: types }) => [name, types.map((type) => type.name).sort()]);
  assert.deepEqual(Object.fromEntries(told), possibleTypes);
});

await check("a value of an enum that is not known has one that stands in for it", async () => {
  assert.deepEqual(
    ["RAISED", "OF_TOMORROW"].map((value) => known(value, ["RAISED", "TO_DO"], "TO_DO")),
    ["RAISED", "TO_DO"],
  );
});

// What a cache says of what it was given and could not keep: a test fails on it.
const complaints = [];
for (const name of ["warn", "error"]) {
  const say = console[name];
  console[name] = (...words) => {
    complaints.push(words.map(String).join(" "));
    say(...words);
  };
}
const take = (types, name) => {
  const place = types.findIndex((type) => type === name);
  if (place >= 0) types.splice(place, 1);
};
const kept = (name, run) =>
  check(name, () => {
    complaints.length = 0;
    return run();
  });
const silent = () => assert.deepEqual(complaints.splice(0), []);

// What the items of a subscription are, with the id that a page may select.
const CHANGES = print(operation("QueueChanges")).replace("cursor", "id cursor");

// A client of each cache: `query` asks the server and `cached` the cache alone, `follow` is the kit's
// subscription, and `entries` are the keys that the cache keeps objects by. A client that is `old` knows no sessions.
const CLIENTS = {
  "Apollo Client": (old = false) => {
    const options = structuredClone({ possibleTypes: apolloKit.cacheOptions.possibleTypes });
    if (old) for (const types of Object.values(options.possibleTypes)) take(types, "Session");
    const cache = new InMemoryCache({ ...apolloKit.cacheOptions, ...options });
    const link = ApolloLink.split(
      ({ operationType }) => operationType === "subscription",
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: ENDPOINT, headers: HEADERS }),
    );
    const client = new ApolloClient({ link, cache });
    return {
      query: async (query, variables = {}) =>
        (await client.query({ query, variables, fetchPolicy: "network-only" })).data,
      cached: (query, variables = {}) => client.cache.readQuery({ query, variables }),
      follow: (variables, put, query = operation("Queue")) => {
        const items = client.subscribe({ query: gql(CHANGES), variables });
        const subscription = items.subscribe(({ data, error }) => {
          if (error) throw error;
          const { filter } = variables;
          apolloKit.followQueue(client.cache, query, { filter }, data.attentionChanged);
          put(data.attentionChanged);
        });
        return () => subscription.unsubscribe();
      },
      entries: async () => Object.keys(client.cache.extract()),
    };
  },
  "urql's Graphcache": (old = false) => {
    const options = structuredClone({ possibleTypes: urqlKit.cacheOptions.possibleTypes });
    if (old) for (const types of Object.values(options.possibleTypes)) take(types, "Session");
    const written = [];
    const storage = {
      readData: async () => ({}),
      writeData: async (entries) => written.push(...Object.keys(entries)),
    };
    const client = new Client({
      url: ENDPOINT,
      fetchOptions: { headers: HEADERS },
      exchanges: [
        cacheExchange({ ...urqlKit.cacheOptions, ...options, storage }),
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => ({ unsubscribe: sockets.subscribe(request, sink) }),
          }),
        }),
      ],
    });
    return {
      query: async (query, variables = {}) => {
        const { data, error } = await client.query(query, variables, { requestPolicy: "network-only" }).toPromise();
        assert.equal(error, undefined);
        return data;
      },
      cached: (query, variables = {}) =>
        client.readQuery(query, variables, { requestPolicy: "cache-only" })?.data ?? null,
      follow: (variables, put) => {
        const { unsubscribe } = client.subscription(CHANGES, variables).subscribe(({ data, error }) => {
          if (error) throw error;
          put(data.attentionChanged);
        });
        return unsubscribe;
      },
      entries: async () => {
        while (!written.length) await pause();
        return written;
      },
    };
  },
};

for (const [name, connect] of Object.entries(CLIENTS)) {
  await kept(
    `${name}: a queue is kept by its items: what enters, moves and has LEFT, in the queue's order`,
    async () => {
      const filter = { ...SESSIONS, levels: ["URGENT", "HIGH"] };
      const client = connect();
      const first = await newSession(`${name} one`);
      const second = await newSession(`${name} two`);
      await raise(first.id, "HIGH");
      const start = await client.query(operation("Queue"), { filter });
      const mine = () => {
        const { nodes } = client.cached(operation("Queue"), { filter }).attentionQueue;
        return nodes.map(({ id }) => id).filter((id) => [first.id, second.id].includes(id));
      };
      assert.deepEqual(mine(), [first.id]);
      const items = inbox();
      const stop = client.follow({ filter, after: start.attentionQueue.cursor }, items.put);
      const change = async (id, wanted) => {
        const item = await items.take(({ interactionId }) => interactionId === id);
        assert.equal(item.change, wanted);
        const { data } = { data: await graph(print(operation("Queue")), { filter }) };
        const theirs = data.attentionQueue.nodes.map((node) => node.id);
        assert.deepEqual(
          client.cached(operation("Queue"), { filter }).attentionQueue.nodes.map((node) => node.id),
          theirs,
        );
      };
      await raise(second.id, "URGENT");
      await change(second.id, "ENTERED");
      assert.deepEqual(mine(), [second.id, first.id]);
      await raise(second.id, "HIGH");
      await change(second.id, "UPDATED");
      await raise(first.id, "LOW");
      await change(first.id, "LEFT");
      assert.deepEqual(mine(), [second.id]);
      await raise(first.id, "URGENT");
      await change(first.id, "ENTERED");
      await raise(second.id, "LOW");
      await change(second.id, "LEFT");
      assert.deepEqual(mine(), [first.id]);
      const entries = await client.entries();
      assert.ok(
        entries.some((key) => key.startsWith(`Session:${first.id}`)),
        entries.join(),
      );
      assert.deepEqual(
        entries.filter((key) => key.startsWith("InteractionEvent")),
        [],
      );
      await raise(first.id, "LOW");
      await change(first.id, "LEFT");
      stop();
      silent();
    },
  );

  await kept(`${name}: a queue of several pages is kept by its items, as far as it was read`, async () => {
    const page = gql`
      query ($filter: InteractionFilter, $after: String) {
        attentionQueue(filter: $filter, first: 2, after: $after) {
          cursor
          nodes {
            id
            attention {
              queueKey
            }
          }
          pageInfo {
            endCursor
            hasNextPage
          }
        }
      }
    `;
    const word = name.replace(/\W/g, "");
    const filter = { labels: [`${word} paged`] };
    const client = connect();
    const [a, b, c, d, e, f] = await Promise.all([..."abcdef"].map((letter) => newSession(`${word} paged ${letter}`)));
    for (const { id } of [a, b, c, d, e, f]) {
      await mutate("addLabels", "AddLabelsInput", { id, labels: filter.labels }, "interaction { id }");
      if (id !== a.id) await raise(id, "HIGH");
    }
    const first = (await client.query(page, { filter })).attentionQueue;
    await client.query(page, { filter, after: first.pageInfo.endCursor });
    const letterOf = (id) => "abcdef"[[a, b, c, d, e, f].findIndex((session) => session.id === id)];
    const letters = () =>
      client
        .cached(page, { filter })
        .attentionQueue.nodes.map(({ id }) => letterOf(id))
        .join("");
    assert.equal(letters(), "bcde");
    const items = inbox();
    const stop = client.follow({ filter, after: first.cursor }, items.put, page);
    for (const [{ id }, level, wanted] of [
      [a, "URGENT", "abcde"],
      [d, "URGENT", "abcde"],
      [f, "LOW", "abcde"],
      [f, "URGENT", "abcdef"],
      [b, "LOW", "acdef"],
    ]) {
      await raise(id, level);
      await items.take(({ interactionId }) => interactionId === id);
      const all = (await graph(print(page), { filter })).attentionQueue;
      const more = await graph(print(page).replace("first: 2", "first: 9"), { filter, after: all.pageInfo.endCursor });
      const theirs = [...all.nodes, ...more.attentionQueue.nodes].map((node) => letterOf(node.id)).join("");
      assert.equal(letters(), theirs.replace(new RegExp(`[^${wanted}]`, "g"), ""));
      assert.equal([...letters()].sort().join(""), wanted);
    }
    stop();
    silent();
  });

  await kept(`${name}: pages are one list, by nodes and by edges, for each filter`, async () => {
    const customers = [];
    for (let number = 1; number <= 5; number += 1) customers.push(await newSession(`${name} page ${number}`));
    const filter = { kinds: ["SESSION"] };
    const text = `query ($filter: InteractionFilter, $after: String, $before: String, $first: Int, $last: Int) {
      interactions(filter: $filter, after: $after, before: $before, first: $first, last: $last, orderBy: { field: CREATED_AT, direction: DESC }) {
        SELECTED cursor totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
      }
    }`;
    for (const [selected, ids] of [
      ["nodes { id kind }", ({ nodes }) => nodes.map(({ id }) => id)],
      ["edges { cursor node { id kind } }", ({ edges }) => edges.map(({ node }) => node.id)],
    ]) {
      const client = connect();
      const query = gql(text.replace("SELECTED", selected));
      const wanted = customers.map(({ id }) => id).reverse();
      const ask = async (variables) => (await client.query(query, { filter, ...variables })).interactions;
      const shown = (variables) => client.cached(query, { filter, ...variables }).interactions;
      const one = await ask({ first: 2 });
      assert.deepEqual(ids(one), wanted.slice(0, 2));
      const two = await ask({ first: 2, after: one.pageInfo.endCursor });
      const all = shown({ first: 2, after: one.pageInfo.endCursor });
      assert.deepEqual(ids(all), wanted.slice(0, 4));
      assert.equal(all.pageInfo.endCursor, two.pageInfo.endCursor);
      assert.ok(all.cursor && all.totalCount >= 5);
      await ask({ first: 1, after: all.pageInfo.endCursor });
      assert.deepEqual(ids(shown({ first: 2 })), wanted);
      // Another filter has a list of its own.
      await client.query(query, { filter: { kinds: ["CONVERSATION"] }, first: 2 });
      assert.deepEqual(ids(shown({ first: 2 })), wanted);
    }
    // Messages are read backwards: the latest first, then what came before.
    const [{ id }] = customers;
    for (const text of ["two", "three", "four"]) {
      const input = { target: { interactionId: id }, contents: [{ text: { content: text } }] };
      await mutate("receiveMessage", "ReceiveMessageInput", input, "interaction { id }");
    }
    const client = connect();
    const messages = gql`
      query ($id: ID!, $before: String) {
        interaction(id: $id) {
          id
          messages(last: 2, before: $before) {
            nodes {
              id
              text
            }
            pageInfo {
              startCursor
              hasPreviousPage
            }
          }
        }
      }
    `;
    const late = (await client.query(messages, { id })).interaction.messages;
    await client.query(messages, { id, before: late.pageInfo.startCursor });
    const texts = client.cached(messages, { id }).interaction.messages.nodes.map(({ text }) => text);
    assert.deepEqual(texts, ["Hello?", "two", "three", "four"]);
    silent();
  });

  await kept(
    `${name}: values without an id are kept with what they belong to, also when parts of them are read`,
    async () => {
      const { id } = await newSession(`${name} values`);
      const client = connect();
      await client.query(operation("Interaction"), { id });
      const part = gql`
        query ($id: ID!) {
          interaction(id: $id) {
            id
            attention {
              deadline
            }
            viewerCan {
              claim
            }
            customer {
              id
            }
            latestMessage {
              id
              status
            }
          }
          viewer {
            user {
              id
              presence {
                present
              }
            }
            permissions
          }
        }
      `;
      await client.query(part, { id });
      await client.query(gql`
        {
          viewer {
            apiKey {
              id
            }
            user {
              id
              presence {
                changedAt
              }
            }
          }
        }
      `);
      const whole = client.cached(operation("Interaction"), { id });
      const fresh = await graph(print(operation("Interaction")), { id });
      assert.deepEqual(whole.interaction.attention.level, fresh.interaction.attention.level);
      assert.deepEqual(whole.interaction.messages.nodes[0].contents[0].content, "Hello?");
      assert.equal(client.cached(part, { id }).viewer.permissions.length > 0, true);
      silent();
    },
  );

  await kept(`${name}: an object of a kind that is not known is shown by what all kinds have`, async () => {
    const filter = { ...SESSIONS, levels: ["URGENT"] };
    const { id } = await newSession(`${name} of tomorrow`);
    await raise(id);
    const client = connect(true);
    const start = await client.query(operation("Queue"), { filter });
    await client.query(operation("Interaction"), { id });
    const mine = () =>
      client.cached(operation("Queue"), { filter }).attentionQueue.nodes.find((node) => node.id === id);
    assert.deepEqual([mine().kind, mine().attention.level], ["SESSION", "URGENT"]);
    const { interaction } = client.cached(operation("Interaction"), { id });
    assert.deepEqual([interaction.kind, interaction.messages.nodes[0].text], ["SESSION", "Hello?"]);
    const items = inbox();
    const stop = client.follow({ filter, after: start.attentionQueue.cursor }, items.put);
    await raise(id, "LOW");
    assert.equal((await items.take(({ interactionId }) => interactionId === id)).change, "LEFT");
    assert.equal(mine(), undefined);
    stop();
    silent();
  });
}

const ON_INTERFACE = gql`
  query ($id: ID!) {
    interaction(id: $id) {
      id
      ... on Interaction {
        kind
      }
    }
  }
`;
for (const [name, kind] of [
  ["Apollo Client: a kind that is not known matches fragments on the interface", "SESSION"],
  [
    "urql's Graphcache: a kind that is not known matches no fragment on the interface, whose fields are left out",
    undefined,
  ],
]) {
  await kept(name, async () => {
    const { id } = await newSession("Of an interface");
    const client = CLIENTS[name.split(":")[0]](true);
    await client.query(ON_INTERFACE, { id });
    assert.deepEqual([client.cached(ON_INTERFACE, { id }).interaction.kind], [kind]);
    silent();
  });
}

await kept("fields of one name and several types are refused without their aliases", async () => {
  const text = print(document);
  for (const alias of ["agentStatus", "chatStatus", "conversationStatus", "chatKey", "contactName"]) {
    assert.ok(text.includes(`${alias}: `), alias);
  }
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: { ...HEADERS, "content-type": "application/json" },
    body: JSON.stringify({
      query:
        "query ($id: ID!) { interaction(id: $id) { ... on ChatSession { status } ... on Conversation { status } } }",
      variables: { id: "ses_1" },
    }),
  });
  const { errors } = await response.json();
  assert.equal(errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

finish("typescript");
