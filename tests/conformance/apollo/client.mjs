import assert from "node:assert/strict";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import {
  addNote,
  ADMIN_KEY,
  browserSockets,
  check,
  finish,
  inbox,
  newSession,
  pause,
  raise,
  raiseUntil,
  replaceDatabase,
  restart,
  runPage,
  wire,
} from "./harness.mjs";

await browserSockets();
const way = await wire();
const ATTENTION = "id attention { needed level reason }";
const READ = gql`query ($id: ID!) { interaction(id: $id) { ${ATTENTION} } }`;
const RAISE = gql`mutation ($input: RaiseAttentionInput!) {
  raiseAttention(input: $input) { interaction { ${ATTENTION} } errors { __typename code message path } }
}`;
const CHANGES = gql`subscription ($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after) { cursor note { text } interaction { ${ATTENTION} } }
}`;

function connect(key = ADMIN_KEY) {
  const headers = { authorization: `Bearer ${key}` };
  const http = new HttpLink({ uri: way.http, headers });
  const live = new GraphQLWsLink(
    createClient({
      url: way.ws,
      connectionParams: headers,
      retryAttempts: 20,
      retryWait: pause,
      shouldRetry: () => true,
    }),
  );
  const link = ApolloLink.split(({ operationType }) => operationType === "subscription", live, http);
  return new ApolloClient({ link, cache: new InMemoryCache() });
}

function subscribe(apollo, query, variables) {
  const told = inbox();
  const subscription = apollo
    .subscribe({ query, variables })
    .subscribe({ next: told.put, error: (error) => told.put({ error }) });
  return { ...told, stop: () => subscription.unsubscribe() };
}

const cached = (apollo, id) => apollo.cache.readQuery({ query: READ, variables: { id } }).interaction.attention;
const failing = async (run) =>
  run.then(
    () => assert.fail("it did not fail"),
    (error) => error,
  );

await check("a query is answered, and once more from the cache", async () => {
  const session = await newSession("Query");
  const apollo = connect();
  const { data } = await apollo.query({ query: READ, variables: { id: session.id } });
  assert.equal(data.interaction.id, session.id);
  assert.equal(apollo.cache.identify(data.interaction), `Session:${session.id}`);
  const again = await apollo.query({ query: READ, variables: { id: session.id }, fetchPolicy: "cache-only" });
  assert.deepEqual(again.data, data);
});

await check(
  "a mutation brings the cache up to date by the id of what it answers with, for a query that is watched",
  async () => {
    const session = await newSession("Mutation");
    const apollo = connect();
    const seen = inbox();
    const watched = apollo.watchQuery({ query: READ, variables: { id: session.id } });
    watched.subscribe(({ data, dataState }) => dataState === "complete" && seen.put(data.interaction.attention.level));
    await seen.take();
    const { data } = await apollo.mutate({
      mutation: RAISE,
      variables: { input: { id: session.id, level: "LOW" } },
    });
    assert.deepEqual(data.raiseAttention.errors, []);
    assert.equal(await seen.take(), "LOW");
    assert.deepEqual([cached(apollo, session.id).level, cached(apollo, session.id).reason], ["LOW", "RAISED"]);
  },
);

await check("why a mutation did nothing is data, with a type of its own for each reason", async () => {
  const session = await newSession("Refused");
  const apollo = connect();
  const refused = async (input) => (await apollo.mutate({ mutation: RAISE, variables: { input } })).data.raiseAttention;
  const late = await refused({ id: session.id, ifVersion: 0 });
  assert.deepEqual(
    [late.interaction, late.errors[0].__typename, late.errors[0].code],
    [null, "VersionConflictError", "VERSION_CONFLICT"],
  );
  const lost = await refused({ id: "ses_999999" });
  assert.deepEqual(
    [lost.interaction, lost.errors[0].__typename, lost.errors[0].code],
    [null, "GenericError", "NOT_FOUND"],
  );
  assert.deepEqual(lost.errors[0].path, ["input", "id"]);
});

await check("errors of a document are errors of GraphQL, whichever way it goes", async () => {
  const apollo = connect();
  const query = await failing(apollo.query({ query: gql`{ nothing }` }));
  assert.ok(CombinedGraphQLErrors.is(query), query);
  assert.equal(query.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  const { error } = await subscribe(apollo, gql`subscription { nothing }`, {}).take();
  assert.ok(CombinedGraphQLErrors.is(error), error);
  assert.equal(error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

await check("a key that is not valid is an error of the server over HTTP, and ends a subscription", async () => {
  const apollo = connect("nobody");
  const query = await failing(apollo.query({ query: READ, variables: { id: "ses_1" } }));
  assert.equal(query.errors[0].extensions.code, "UNAUTHENTICATED");
  const { error } = await subscribe(apollo, CHANGES, { id: "ses_1" }).take();
  assert.match(error.message, /4401/);
});

await check("a subscription brings the cache up to date, and its sibling that fails does not end it", async () => {
  const session = await newSession("Listened to");
  const apollo = connect();
  await apollo.query({ query: READ, variables: { id: session.id } });
  const changes = subscribe(apollo, CHANGES, { id: session.id, after: session.cursor });
  const { error } = await subscribe(apollo, gql`subscription { nothing }`, {}).take();
  assert.ok(error);
  await raise(session.id, "HIGH");
  const { data } = await changes.take();
  assert.equal(data.interactionChanged.interaction.attention.level, "HIGH");
  assert.equal(cached(apollo, session.id).level, "HIGH");
  changes.stop();
});

await check(
  "the code of docs/live.md keeps a queue current and resumes after breaks and restarts: nothing twice, nothing missed; " +
    "and begins anew with another database",
  async () => {
    const session = await newSession("Of the queue");
    const shown = inbox();
    await runPage(["The alert, with graphql-ws", "With Apollo Client"], way, {
      key: ADMIN_KEY,
      notify: () => {},
      replace: () => {},
      show: shown.put,
    });
    const mine = async () => shown.take(({ interactionId }) => interactionId === session.id);
    await raise(session.id, "LOW");
    assert.deepEqual([(await mine()).change], ["ENTERED"]);
    for (const [level, trouble] of [
      ["NORMAL", way.cut],
      ["HIGH", restart],
      ["URGENT", way.cut],
    ]) {
      await trouble();
      await raise(session.id, level);
      const item = await mine();
      assert.deepEqual([item.change, item.interaction.attention.level], ["UPDATED", level]);
    }
    await addNote(session.id, "no change of attention");
    assert.deepEqual(shown.items, []);
    await replaceDatabase();
    await raiseUntil(() => shown.items.length > 0);
  },
);

finish("@apollo/client");
