import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import {
  addNote,
  ADMIN_KEY,
  browserSockets,
  check,
  finish,
  inbox,
  INTERACTION,
  listen,
  mutate,
  newKey,
  newSession,
  pause,
  raise,
  replaceDatabase,
  restart,
  runPage,
  TEXTS,
  wire,
} from "./harness.mjs";

await browserSockets();
const way = await wire();
const ATTENTION = `subscription ($after: String) {
  attentionChanged(after: $after) { cursor change interactionId levelAfter }
}`;

const connect = (options = {}) =>
  createClient({
    url: way.ws,
    connectionParams: { "x-api-key": ADMIN_KEY },
    retryAttempts: 20,
    retryWait: pause,
    shouldRetry: () => true,
    ...options,
  });

async function once(client, payload) {
  const told = listen(client, payload);
  const answer = await told.take();
  return "next" in answer ? [answer.next, await told.take()] : [answer];
}

// What the server asks of who is silent takes 25 seconds to come: this client waits for it while the others work.
const pings = inbox();
const silent = connect({
  url: (await wire()).ws,
  lazy: false,
  on: { ping: (received) => received && pings.put("ping"), pong: (received) => received || pings.put("pong") },
});

await check("a query is answered once and completes", async () => {
  const client = connect();
  const answers = await once(client, { query: '{ viewer { permissions } node(id: "no") { id } }' });
  assert.ok(answers[0].data.viewer.permissions.length > 0);
  assert.deepEqual(answers[1], { complete: true });
});

await check("a mutation is answered once and completes", async () => {
  const session = await newSession("Mutation");
  const query = `mutation ($input: AddNoteInput!) { addNote(input: $input) { note { text } errors { message } } }`;
  const answers = await once(connect(), { query, variables: { input: { id: session.id, text: "By socket" } } });
  assert.deepEqual(answers, [{ data: { addNote: { note: { text: "By socket" }, errors: [] } } }, { complete: true }]);
});

await check("a lazy client opens its socket for the first operation and closes it after the last", async () => {
  const happened = inbox();
  const client = connect({ on: { opened: () => happened.put("opened"), closed: ({ code }) => happened.put(code) } });
  assert.equal(happened.items.length, 0);
  await once(client, { query: "{ __typename }" });
  assert.deepEqual([await happened.take(), await happened.take()], ["opened", 1000]);
});

await check(
  "attentionChanged and interactionChanged resume by `after` when the network breaks: nothing twice, nothing missed",
  async () => {
    const session = await newSession("Resumed");
    const client = connect();
    const resumed = (query, variables) =>
      listen(client, { query, variables }, ({ data }) => {
        for (const item of Object.values(data)) variables.after = item.cursor;
      });
    const attention = resumed(ATTENTION, { after: session.cursor });
    const changes = resumed(INTERACTION, { id: session.id, after: session.cursor });
    const level = async () =>
      (await attention.take(({ next }) => next.data.attentionChanged.interactionId === session.id)).next.data
        .attentionChanged.levelAfter;
    const text = async () =>
      (await changes.take(({ next }) => next.data.interactionChanged.note)).next.data.interactionChanged.note.text;
    await raise(session.id, "LOW");
    assert.equal(await level(), "LOW");
    await addNote(session.id, "one");
    assert.equal(await text(), "one");
    for (const [step, next] of [
      ["NORMAL", "two"],
      ["HIGH", "three"],
      ["URGENT", "four"],
    ]) {
      way.cut();
      await raise(session.id, step);
      await addNote(session.id, next);
      assert.deepEqual([await level(), await text()], [step, next]);
    }
    attention.stop();
    changes.stop();
  },
);

await check("texts come as they were written", async () => {
  const session = await newSession("Texts");
  const listening = listen(connect(), { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
  for (const text of TEXTS) {
    await addNote(session.id, text);
    assert.equal((await listening.take()).next.data.interactionChanged.note.text, text);
  }
  listening.stop();
});

await check("an operation that fails is told why by `error`, and its sibling on the socket goes on", async () => {
  const session = await newSession("Sibling");
  let opened = 0;
  const client = connect({ on: { opened: () => (opened += 1) } });
  const sibling = listen(client, { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
  for (const query of ["{ nothing }", "{", "subscription { nothing }", "query ($id: ID!) { node(id: $id) { id } }"]) {
    const [{ error }] = await once(client, { query });
    assert.ok(error.length > 0 && error.every(({ message }) => typeof message === "string"), query);
  }
  await addNote(session.id, "still here");
  assert.equal((await sibling.take()).next.data.interactionChanged.note.text, "still here");
  assert.equal(opened, 1);
  sibling.stop();
});

await check("`complete` from the client stops its operation and no other", async () => {
  const session = await newSession("Stopped");
  const client = connect();
  const payload = { query: INTERACTION, variables: { id: session.id, after: session.cursor } };
  const [stopped, other] = [listen(client, payload), listen(client, payload)];
  await addNote(session.id, "one");
  await Promise.all([stopped.take(), other.take()]);
  stopped.stop();
  await addNote(session.id, "two");
  await addNote(session.id, "three");
  assert.equal((await other.take()).next.data.interactionChanged.note.text, "two");
  assert.equal((await other.take()).next.data.interactionChanged.note.text, "three");
  assert.deepEqual(stopped.items, [{ complete: true }]);
  other.stop();
});

await check("operations of a hundred ids run beside each other on one socket", async () => {
  const session = await newSession("Hundred");
  let opened = 0;
  const client = connect({ on: { opened: () => (opened += 1) } });
  const payload = { query: INTERACTION, variables: { id: session.id, after: session.cursor } };
  const all = Array.from({ length: 100 }, () => listen(client, payload));
  await addNote(session.id, "for all");
  for (const each of all) assert.equal((await each.take()).next.data.interactionChanged.note.text, "for all");
  const [{ error }] = await once(client, payload);
  assert.equal(error[0].extensions.code, "TOO_COMPLEX");
  for (const each of all) each.stop();
  assert.equal(opened, 1);
});

await check("an id is free again as soon as its operation has ended, well or not", async () => {
  let opened = 0;
  const client = connect({
    generateID: () => "the same",
    lazyCloseTimeout: 10_000,
    on: { opened: () => (opened += 1) },
  });
  for (let round = 0; round < 300; round += 1) {
    const answers = await once(client, { query: round % 3 ? "{ nothing }" : "{ __typename }" });
    assert.ok(round % 3 ? Array.isArray(answers[0].error) : answers[0].data.__typename === "Query", answers);
  }
  assert.equal(opened, 1);
  await client.dispose();
});

await check("a key that is not valid is answered with 4401, which the client does not try again", async () => {
  for (const connectionParams of [{ authorization: "Bearer nobody" }, undefined]) {
    let opened = 0;
    const client = connect({ connectionParams, on: { opened: () => (opened += 1) } });
    const [{ error }] = await once(client, { query: "{ __typename }" });
    assert.deepEqual([error.code, opened], [4401, 1]);
  }
});

await check(
  "a key that is revoked closes the socket with 4403, and is refused when the client comes back",
  async () => {
    const session = await newSession("Revoked");
    const key = await newKey();
    const closed = inbox();
    const client = connect({
      connectionParams: { authorization: `Bearer ${key.secret}` },
      on: { closed: ({ code }) => closed.put(code) },
    });
    const listening = listen(client, { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
    await addNote(session.id, "for whom may");
    assert.equal((await listening.take()).next.data.interactionChanged.note.text, "for whom may");
    await key.revoke();
    await addNote(session.id, "not for whom may not");
    assert.deepEqual([await closed.take(), await closed.take()], [4403, 4401]);
    assert.equal((await listening.take()).error.code, 4401);
  },
);

await check("who looks at an interaction is told to the others, and forgotten when their network breaks", async () => {
  const session = await newSession("Looked at");
  const described = { name: "Tony", login: "tony", roles: ["admin"] };
  const { user } = await mutate("createUser", "CreateUserInput", described, "user { id }");
  const { secret } = await newKey(user.id);
  const query = `subscription ($id: ID!) {
    interactionChanged(id: $id, viewing: true) { topic interaction { viewers { user { name } } } }
  }`;
  const payload = { query, variables: { id: session.id } };
  const staying = listen(connect(), payload);
  const viewers = async (wanted) => {
    const isWanted = ({ interactionChanged: { topic, interaction } }) =>
      topic === "INTERACTION_VIEWERS_CHANGED" &&
      interaction.viewers.some(({ user }) => user.name === "Tony") === wanted;
    return staying.take(({ next }) => isWanted(next.data));
  };
  const elsewhere = await wire();
  const leaving = connect({ url: elsewhere.ws, connectionParams: { "x-api-key": secret }, retryAttempts: 0 });
  for (const leave of [(told) => told.stop(), elsewhere.cut]) {
    const told = listen(leaving, payload);
    await viewers(true);
    leave(told);
    await viewers(false);
  }
  staying.stop();
});

await check("a ping of the client is answered", async () => {
  const answers = inbox();
  const client = connect({ lazy: false, keepAlive: 50, on: { pong: (received) => received && answers.put("pong") } });
  for (let round = 0; round < 3; round += 1) await answers.take();
  await client.dispose();
});

await check("who asks for another subprotocol is closed with 4406", async () => {
  const plain = new WebSocket(way.ws);
  const [code] = await new Promise((resolve) => plain.once("close", (...given) => resolve(given)));
  assert.equal(code, 4406);
  const old = new WebSocket(way.ws, "graphql-ws");
  const error = await new Promise((resolve) => old.once("error", resolve));
  assert.equal(error.message, "Server sent no subprotocol");
});

await check("a client that says nothing is asked for a sign of life, and gives it", async () => {
  assert.deepEqual([await pings.take(), await pings.take()], ["ping", "pong"]);
  await silent.dispose();
});

await check("a server that stops closes with 1012, and subscriptions resume when it is back", async () => {
  const session = await newSession("Restarted");
  const closed = inbox();
  const client = connect({
    retryAttempts: Infinity,
    on: { closed: ({ code }) => closed.put(code) },
  });
  const variables = { id: session.id, after: session.cursor };
  const listening = listen(client, { query: INTERACTION, variables }, ({ data }) => {
    variables.after = data.interactionChanged.cursor;
  });
  for (const text of ["one", "two", "three"]) {
    await addNote(session.id, text);
    assert.equal((await listening.take()).next.data.interactionChanged.note.text, text);
    await restart();
  }
  assert.equal(await closed.take(), 1012);
  listening.stop();
});

await check(
  "the alert of docs/live.md comes, again after the network broke, fell silent, the server was restarted, or its " +
    "database was replaced",
  async () => {
    const alerts = inbox();
    const lists = inbox();
    await runPage(["The alert, with graphql-ws"], way, { key: ADMIN_KEY, notify: alerts.put, replace: lists.put });
    await lists.take();
    for (const trouble of [() => {}, way.cut, way.freeze, restart, replaceDatabase]) {
      await trouble();
      if (trouble === replaceDatabase) assert.deepEqual(await lists.take(), []);
      const session = await newSession("After trouble");
      await raise(session.id);
      const alert = await alerts.take(({ id }) => id === session.id);
      assert.deepEqual([alert.customer.name, alert.attention], [session.name, { level: "URGENT", reason: "RAISED" }]);
      assert.deepEqual([alerts.items, lists.items], [[], []]);
    }
  },
);

finish("graphql-ws");
