import assert from "node:assert/strict";
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange as normalisedCache } from "@urql/exchange-graphcache";
import { getIntrospectionQuery } from "graphql";
import { createClient } from "graphql-ws";
import { onEnd, pipe, subscribe as subscribeTo } from "wonka";
import {
  addNote,
  ADMIN_KEY,
  browserSockets,
  check,
  finish,
  graph,
  inbox,
  newKey,
  newSession,
  raise,
  raiseUntil,
  replaceDatabase,
  runPage,
  wire,
} from "./harness.mjs";

// The client leaves a stream by aborting it, and does not always handle what its own abort raises.
process.on("unhandledRejection", (error) => {
  if (error.name !== "AbortError") throw error;
});
await browserSockets();
const way = await wire();
const READ = "query ($id: ID!) { interaction(id: $id) { id attention { level reason } } }";
const RAISE = `mutation ($input: RaiseAttentionInput!) {
  raiseAttention(input: $input) { interaction { id attention { level } } errors { __typename code message path } }
}`;
const CHANGES = `subscription ($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after) { cursor note { text } interaction { id attention { level } } }
}`;

const WAYS = {
  WebSocket: (headers) => {
    const sockets = createClient({ url: way.ws, connectionParams: headers, retryAttempts: 0 });
    const forwardSubscription = (request) => ({
      subscribe: (sink) => ({ unsubscribe: sockets.subscribe(request, sink) }),
    });
    return { exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })] };
  },
  "Server-Sent Events": () => ({ exchanges: [cacheExchange, fetchExchange], fetchSubscriptions: true }),
};

const connect = (key = ADMIN_KEY, options = WAYS.WebSocket) => {
  const headers = { authorization: `Bearer ${key}` };
  return new Client({ url: way.http, fetchOptions: { headers }, ...options(headers) });
};

function subscribe(client, query, variables) {
  const told = inbox();
  const { unsubscribe } = client.subscription(query, variables).subscribe(told.put);
  return { ...told, stop: unsubscribe };
}

await check("a query is answered, and once more from the cache", async () => {
  const session = await newSession("Query");
  const client = connect();
  const { data, error } = await client.query(READ, { id: session.id }).toPromise();
  assert.deepEqual([data.interaction.id, error], [session.id, undefined]);
  const again = await client.query(READ, { id: session.id }, { requestPolicy: "cache-only" }).toPromise();
  assert.deepEqual(again.data, data);
});

await check("a query goes by GET as well", async () => {
  const session = await newSession("Query by GET");
  const { data } = await connect().query(READ, { id: session.id }, { preferGetMethod: "force" }).toPromise();
  assert.equal(data.interaction.id, session.id);
});

await check("a mutation makes queries of what it answers with be asked again", async () => {
  const session = await newSession("Mutation");
  const client = connect();
  const seen = inbox();
  const { unsubscribe } = client
    .query(READ, { id: session.id })
    .subscribe(({ data, stale }) => stale || seen.put(data.interaction.attention.level));
  await seen.take();
  const { data } = await client.mutation(RAISE, { input: { id: session.id, level: "LOW" } }).toPromise();
  assert.deepEqual(data.raiseAttention.errors, []);
  assert.equal(await seen.take(), "LOW");
  unsubscribe();
});

await check("the normalised cache is brought up to date by id, by a mutation and by a subscription", async () => {
  const session = await newSession("Normalised");
  const schema = await graph(getIntrospectionQuery());
  const exchanges = () => ({
    exchanges: [normalisedCache({ schema, keys: { Attention: () => null } }), fetchExchange],
    fetchSubscriptions: true,
  });
  const client = connect(ADMIN_KEY, exchanges);
  const cached = async () => {
    const { data } = await client.query(READ, { id: session.id }, { requestPolicy: "cache-only" }).toPromise();
    return data.interaction.attention.level;
  };
  await client.query(READ, { id: session.id }).toPromise();
  await client.mutation(RAISE, { input: { id: session.id, level: "LOW" } }).toPromise();
  assert.equal(await cached(), "LOW");
  const changes = subscribe(client, CHANGES, { id: session.id, after: session.cursor });
  await raise(session.id, "HIGH");
  await changes.take(({ data }) => data.interactionChanged.interaction.attention.level === "HIGH");
  assert.equal(await cached(), "HIGH");
  changes.stop();
});

await check("why a mutation did nothing is data, with a type of its own for each reason", async () => {
  const session = await newSession("Refused");
  const { data, error } = await connect()
    .mutation(RAISE, { input: { id: session.id, ifVersion: 0 } })
    .toPromise();
  const [{ __typename, code }] = data.raiseAttention.errors;
  assert.deepEqual(
    [error, data.raiseAttention.interaction, __typename, code],
    [undefined, null, "VersionConflictError", "VERSION_CONFLICT"],
  );
});

await check("errors of a query are errors of GraphQL", async () => {
  const { data, error } = await connect().query("{ nothing }", {}).toPromise();
  assert.deepEqual(
    [data, error.networkError, error.graphQLErrors[0].extensions.code],
    [undefined, undefined, "GRAPHQL_VALIDATION_FAILED"],
  );
});

await check("a key that is not valid is the status 401", async () => {
  const { error, data } = await connect("nobody").query("{ __typename }", {}).toPromise();
  assert.deepEqual([error.response.status, data], [401, undefined]);
});

for (const [name, options] of Object.entries(WAYS)) {
  await check(`over ${name}: a subscription is answered, and its sibling that fails does not end it`, async () => {
    const session = await newSession("Listened to");
    const client = connect(ADMIN_KEY, options);
    const changes = subscribe(client, CHANGES, { id: session.id, after: session.cursor });
    const { error } = await subscribe(client, "subscription { nothing }", {}).take();
    assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await raise(session.id, "HIGH");
    assert.equal((await changes.take()).data.interactionChanged.interaction.attention.level, "HIGH");
    changes.stop();
  });

  await check(
    `over ${name}: a subscription that broke is an error, and a new one goes on: nothing twice, nothing missed`,
    async () => {
      const session = await newSession("Resumed");
      const client = connect(ADMIN_KEY, options);
      let after = session.cursor;
      for (const note of ["one", "two", "three"]) {
        await addNote(session.id, note);
        const changes = subscribe(client, CHANGES, { id: session.id, after });
        const { data } = await changes.take();
        assert.equal(data.interactionChanged.note.text, note);
        after = data.interactionChanged.cursor;
        way.cut();
        const { error } = await changes.take();
        assert.ok(error);
        assert.deepEqual(changes.items, []);
        changes.stop();
      }
    },
  );
}

await check("over Server-Sent Events: when a key is revoked the subscription ends", async () => {
  const session = await newSession("Revoked");
  const key = await newKey();
  const told = inbox();
  const client = connect(key.secret, WAYS["Server-Sent Events"]);
  const changes = client.subscription(CHANGES, { id: session.id, after: session.cursor });
  pipe(
    changes,
    onEnd(() => told.put("end")),
    subscribeTo(({ data }) => told.put(data.interactionChanged.note.text)),
  );
  await addNote(session.id, "for whom may");
  assert.equal(await told.take(), "for whom may");
  await key.revoke();
  await addNote(session.id, "not for whom may not");
  await told.take((item) => item === "end");
});

await check(
  "the code of docs/live.md shows what happens and resumes when the network breaks: nothing twice, nothing missed; and " +
    "begins anew with another database",
  async () => {
    const shown = inbox();
    await runPage(["The alert, with graphql-ws", "With urql"], way, {
      key: ADMIN_KEY,
      notify: () => {},
      replace: () => {},
      show: shown.put,
    });
    const session = await newSession("Of the queue");
    const mine = async () => (await shown.take(({ interactionId }) => interactionId === session.id)).change;
    await raise(session.id, "LOW");
    assert.equal(await mine(), "ENTERED");
    for (const level of ["NORMAL", "HIGH", "URGENT"]) {
      way.cut();
      await raise(session.id, level);
      assert.equal(await mine(), "UPDATED");
    }
    await addNote(session.id, "no change of attention");
    assert.deepEqual(shown.items, []);
    await replaceDatabase();
    await raiseUntil(() => shown.items.length > 0);
  },
);

finish("@urql/core");
