import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createClient } from "graphql-ws";
import { addNote, ADMIN_KEY, browserSockets, check, ENDPOINT, finish, inbox, newSession, raise } from "./harness.mjs";

const HEADERS = { authorization: `Bearer ${ADMIN_KEY}` };
// Unlike any before, because all clients here are one caller, for whom the server keeps what it has been sent.
let made = 0;
function documents() {
  made += 1;
  return {
    READ: `query Read${made}($id: ID!) { interaction(id: $id) { id attention { level } } }`,
    RAISE: `mutation Raise${made}($input: RaiseAttentionInput!) {
      raiseAttention(input: $input) { interaction { id attention { level } } errors { code } }
    }`,
    CHANGES: `subscription Changes${made}($id: ID!, $after: String) {
      interactionChanged(id: $id, after: $after) { cursor note { text } }
    }`,
  };
}
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

await browserSockets();

// The requests that a client sends: the method, and whether the hash and the text of a document are in it.
function spying() {
  const sent = [];
  const spy = async (address, options = {}) => {
    const given = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(address).searchParams);
    sent.push([
      options.method ?? "GET",
      JSON.stringify(given.extensions ?? null).includes("sha256Hash"),
      !!given.query,
    ]);
    return fetch(address, options);
  };
  return { sent, spy };
}

// A client of sockets, and how often it connected and was sent a subscription.
function listening() {
  const told = { connected: 0, sent: 0 };
  const sockets = createClient({
    url: ENDPOINT.replace("http", "ws"),
    connectionParams: HEADERS,
    shouldRetry: () => true,
    lazyCloseTimeout: 1_000,
    on: { connected: () => (told.connected += 1) },
  });
  return { told, sockets };
}

const CLIENTS = {
  "Apollo's persisted query link": (isGet) => {
    const { READ, RAISE, CHANGES } = documents();
    const { sent, spy } = spying();
    const { told, sockets } = listening();
    const link = ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries: isGet }),
      ApolloLink.split(
        ({ operationType }) => operationType === "subscription",
        new GraphQLWsLink(sockets),
        new HttpLink({ uri: ENDPOINT, headers: HEADERS, fetch: spy }),
      ),
    ]);
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    return {
      sent,
      told,
      query: async (id) => (await client.query({ query: gql(READ), variables: { id }, fetchPolicy: "no-cache" })).data,
      mutate: async (input) => (await client.mutate({ mutation: gql(RAISE), variables: { input } })).data,
      listen: (variables, put) => client.subscribe({ query: gql(CHANGES), variables }).subscribe(put),
    };
  },
  "urql's persisted exchange": (isGet) => {
    const { READ, RAISE, CHANGES } = documents();
    const { sent, spy } = spying();
    const { told, sockets } = listening();
    const client = new Client({
      url: ENDPOINT,
      fetch: spy,
      fetchOptions: { headers: HEADERS },
      exchanges: [
        persistedExchange({
          preferGetForPersistedQueries: isGet ? "within-url-limit" : false,
          enableForMutation: true,
          enableForSubscriptions: true,
        }),
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => {
              told.sent += 1;
              // graphql-ws sends nothing that has no text.
              return { unsubscribe: sockets.subscribe({ ...request, query: request.query ?? "" }, sink) };
            },
          }),
        }),
      ],
    });
    const data = async (source) => {
      const { data: found, error } = await source.toPromise();
      assert.ok(!error, String(error));
      return found;
    };
    return {
      sent,
      told,
      query: (id) => data(client.query(READ, { id }, { requestPolicy: "network-only" })),
      mutate: (input) => data(client.mutation(RAISE, { input })),
      listen: (variables, put) => client.subscription(CHANGES, variables).subscribe(put),
    };
  },
};

for (const [name, connect] of Object.entries(CLIENTS)) {
  for (const method of ["GET", "POST"]) {
    await check(
      `${name}, by ${method}: a query goes by its hash, once with its text, then by its hash alone`,
      async () => {
        const session = await newSession("Persisted");
        const client = connect(method === "GET");
        for (let number = 0; number < 3; number += 1) {
          const { interaction } = await client.query(session.id);
          assert.equal(interaction.id, session.id);
        }
        const [first, ...others] = client.sent;
        assert.deepEqual(first, [method, true, false]);
        assert.equal(others.length, 3, JSON.stringify(client.sent));
        assert.deepEqual(
          others.map(([, hasHash, hasText]) => [hasHash, hasText]),
          [
            [true, true],
            [true, false],
            [true, false],
          ],
        );
      },
    );
  }

  await check(`${name}: queries that are sent at once are each sent twice at most`, async () => {
    const sessions = [];
    for (let number = 0; number < 8; number += 1) sessions.push(await newSession(`Persisted ${number}`));
    const client = connect(false);
    const found = await Promise.all(sessions.map(({ id }) => client.query(id)));
    assert.deepEqual(
      found.map(({ interaction }) => interaction.id),
      sessions.map(({ id }) => id),
    );
    assert.ok(client.sent.length <= 2 * sessions.length, JSON.stringify(client.sent));
    assert.ok(client.sent.filter(([, , hasText]) => hasText).length <= sessions.length);
  });

  await check(`${name}: a mutation is done once`, async () => {
    const session = await newSession("Persisted mutation");
    const client = connect(true);
    const { raiseAttention } = await client.mutate({ id: session.id, level: "HIGH", ifVersion: 1 });
    assert.deepEqual([raiseAttention.errors, raiseAttention.interaction.attention.level], [[], "HIGH"]);
    assert.ok(client.sent.every(([method]) => method === "POST"));
    assert.equal(client.sent.filter(([, , hasText]) => hasText).length, 1);
  });

  await check(`${name}: a subscription is answered on one socket, beside another`, async () => {
    const session = await newSession("Persisted subscription");
    const client = connect(true);
    const [one, two] = [inbox(), inbox()];
    const stops = [one, two].map(({ put }) => client.listen({ id: session.id, after: session.cursor }, put));
    await addNote(session.id, "heard");
    for (const told of [one, two]) {
      const { data, error } = await told.take();
      assert.ok(!error, String(error));
      assert.equal(data.interactionChanged.note.text, "heard");
    }
    await raise(session.id);
    assert.ok((await one.take()).data);
    stops.forEach((stop) => stop.unsubscribe());
    assert.equal(client.told.connected, 1);
    assert.ok(client.told.sent <= 4, String(client.told.sent));
  });
}

await check("a hash without a text over a socket is an error of its operation, and the socket goes on", async () => {
  const { READ, CHANGES } = documents();
  const { told, sockets } = listening();
  const session = await newSession("Persisted by hand");
  const heard = inbox();
  const stop = sockets.subscribe(
    { query: CHANGES, variables: { id: session.id, after: session.cursor } },
    { next: heard.put, error: heard.put, complete: () => {} },
  );
  const failed = await new Promise((resolve) =>
    sockets.subscribe(
      { query: "", extensions: { persistedQuery: { version: 1, sha256Hash: sha256(READ) } } },
      { next: resolve, error: resolve, complete: () => {} },
    ),
  );
  assert.deepEqual(
    failed.map(({ message, extensions }) => [message, extensions.code]),
    [["PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"]],
  );
  await addNote(session.id, "heard");
  assert.equal((await heard.take()).data.interactionChanged.note.text, "heard");
  stop();
  assert.equal(told.connected, 1);
});

finish("@urql/exchange-persisted");
