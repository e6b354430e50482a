import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createClient } from "graphql-sse";
import {
  addNote,
  ADMIN_KEY,
  check,
  finish,
  inbox,
  INTERACTION,
  listen,
  newKey,
  newSession,
  pageCode,
  pause,
  raise,
  raiseUntil,
  replaceDatabase,
  restart,
  runPage,
  TEXTS,
  wire,
} from "./harness.mjs";

const way = await wire();

const connect = (options = {}) =>
  createClient({
    url: way.http,
    headers: { "x-api-key": ADMIN_KEY },
    retryAttempts: 20,
    retry: pause,
    ...options,
  });

async function all(client, payload) {
  const answers = [];
  for await (const answer of client.iterate(payload)) answers.push(answer);
  return answers;
}

const text = async (told) => (await told.take()).next.data.interactionChanged.note.text;

await check("a query is answered once and completes", async () => {
  const answers = await all(connect(), { query: "{ viewer { apiKey { isCurrent } } }" });
  assert.deepEqual(answers, [{ data: { viewer: { apiKey: { isCurrent: true } } } }]);
});

await check("a mutation is answered once and completes", async () => {
  const session = await newSession("Mutation");
  const query = "mutation ($input: AddNoteInput!) { addNote(input: $input) { note { text } errors { message } } }";
  const answers = await all(connect(), { query, variables: { input: { id: session.id, text: "By events" } } });
  assert.deepEqual(answers, [{ data: { addNote: { note: { text: "By events" }, errors: [] } } }]);
});

await check("a subscription sends what happens from a cursor on, each as an event of the type next", async () => {
  const session = await newSession("Listened to");
  const messages = inbox();
  const client = connect({ onMessage: messages.put });
  const listening = listen(client, { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
  await addNote(session.id, "one");
  await addNote(session.id, "two");
  assert.deepEqual([await text(listening), await text(listening)], ["one", "two"]);
  for (const note of ["one", "two"]) {
    const { event, data } = await messages.take();
    assert.deepEqual([event, data.data.interactionChanged.note.text], ["next", note]);
  }
  listening.stop();
});

await check(
  "a subscription resumes by Last-Event-ID when the network breaks: nothing twice, nothing missed",
  async () => {
    const session = await newSession("Resumed");
    let last = session.cursor;
    const client = connect({ headers: () => ({ "x-api-key": ADMIN_KEY, "last-event-id": last }) });
    const listening = listen(client, { query: INTERACTION, variables: { id: session.id } });
    const next = async () => {
      const { next: result } = await listening.take();
      last = result.data.interactionChanged.cursor;
      return result.data.interactionChanged.note.text;
    };
    await addNote(session.id, "one");
    assert.equal(await next(), "one");
    for (const note of ["two", "three", "four"]) {
      way.cut();
      await addNote(session.id, note);
      assert.equal(await next(), note);
    }
    assert.deepEqual(listening.items, []);
    listening.stop();
  },
);

await check("texts come as they were written, with every line break", async () => {
  const session = await newSession("Texts");
  const listening = listen(connect(), { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
  for (const written of TEXTS) {
    await addNote(session.id, written);
    assert.equal(await text(listening), written);
  }
  listening.stop();
});

await check("a server that stops ends streams without `complete`, and they resume when it is back", async () => {
  const session = await newSession("Restarted");
  let last = session.cursor;
  const client = connect({
    headers: () => ({ "x-api-key": ADMIN_KEY, "last-event-id": last }),
    retryAttempts: Infinity,
  });
  const listening = listen(client, { query: INTERACTION, variables: { id: session.id } });
  for (const written of ["one", "two", "three"]) {
    await addNote(session.id, written);
    const { next } = await listening.take();
    last = next.data.interactionChanged.cursor;
    assert.equal(next.data.interactionChanged.note.text, written);
    await restart();
  }
  listening.stop();
});

await check("an operation that fails is told why and completes, and its sibling goes on", async () => {
  const session = await newSession("Sibling");
  const client = connect();
  const sibling = listen(client, { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
  for (const query of [
    "{ nothing }",
    "{",
    "subscription { nothing }",
    "query ($id: ID!) { node(id: $id) { id } }",
    INTERACTION,
  ]) {
    const [answer, ...more] = await all(client, { query });
    assert.ok(
      answer.errors.every(({ message }) => typeof message === "string"),
      query,
    );
    assert.deepEqual([answer.data, more], [undefined, []], query);
  }
  await addNote(session.id, "still here");
  assert.equal(await text(sibling), "still here");
  sibling.stop();
});

await check("a cursor that is none is an error with a code", async () => {
  const [answer] = await all(connect(), { query: 'subscription { attentionChanged(after: "no") { cursor } }' });
  assert.deepEqual(
    answer.errors.map(({ extensions }) => extensions.code),
    ["INVALID_CURSOR"],
  );
});

await check("leaving a subscription stops it and no other", async () => {
  const session = await newSession("Stopped");
  const client = connect();
  const payload = { query: INTERACTION, variables: { id: session.id, after: session.cursor } };
  const [stopped, other] = [listen(client, payload), listen(client, payload)];
  await addNote(session.id, "one");
  assert.deepEqual([await text(stopped), await text(other)], ["one", "one"]);
  stopped.stop();
  await addNote(session.id, "two");
  assert.equal(await text(other), "two");
  assert.deepEqual(
    stopped.items.filter((item) => "next" in item),
    [],
  );
  other.stop();
});

await check("a key that is not valid is answered with the status 401", async () => {
  const client = connect({ headers: { "x-api-key": "nobody" }, retryAttempts: 0 });
  const told = listen(client, { query: "subscription { attentionChanged { cursor } }" });
  const { error } = await told.take();
  assert.deepEqual(
    [error.response.status, (await error.response.json()).errors[0].extensions.code],
    [401, "UNAUTHENTICATED"],
  );
});

await check(
  "a key that is revoked ends its stream without `complete`, and is refused when the client comes back",
  async () => {
    const session = await newSession("Revoked");
    const key = await newKey();
    const client = connect({ headers: { authorization: `Bearer ${key.secret}` }, retryAttempts: 1 });
    const listening = listen(client, { query: INTERACTION, variables: { id: session.id, after: session.cursor } });
    await addNote(session.id, "for whom may");
    assert.equal(await text(listening), "for whom may");
    await key.revoke();
    await addNote(session.id, "not for whom may not");
    assert.equal((await listening.take()).error.response.status, 401);
  },
);

await check(
  "the code of docs/live.md tells of customers who need somebody, again after the network broke, a restart, or another " +
    "database",
  async () => {
    const alerts = inbox();
    const lists = inbox();
    await runPage(["With Server-Sent Events"], way, { key: ADMIN_KEY, notify: alerts.put, replace: lists.put });
    await lists.take();
    for (const trouble of [() => {}, way.cut, restart, replaceDatabase]) {
      await trouble();
      if (trouble === replaceDatabase) assert.deepEqual(await lists.take(), []);
      const session = await newSession("After trouble");
      await raise(session.id);
      assert.deepEqual(await alerts.take(({ id }) => id === session.id), { id: session.id });
      assert.deepEqual([alerts.items, lists.items], [[], []]);
    }
  },
);

await check("the command of docs/live.md shows what happens", async () => {
  const command = pageCode("docs/live.md", "With Server-Sent Events", "sh", way);
  const curl = spawn("sh", ["-c", `exec ${command}`], {
    env: { ...process.env, KEY: ADMIN_KEY },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let shown = "";
  curl.stdout.on("data", (chunk) => (shown += chunk));
  await raiseUntil(() => shown.includes("event: next\n"));
  curl.kill();
  assert.match(shown, /^:\n\n(event: next\nid: \S+\ndata: \{"data":\{"attentionChanged":\{.*\}\}\}\n\n)+$/);
});

finish("graphql-sse");
