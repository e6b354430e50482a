// What the clients in Node share: the server under test, checks and their count, a wire that can be cut, and the code
// that docs/live.md shows.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export const { SERVER, ADMIN_KEY } = process.env;
export const ENDPOINT = `${SERVER}/graphql`;

// Only what fails takes it: it is long because a restart on a busy machine may take a minute.
const PATIENCE = 240_000;

let passed = 0;
let total = 0;
let pages = 0;
let sessions = 0;

export async function check(name, run) {
  total += 1;
  try {
    await soon(run());
    passed += 1;
    console.log(`- ${name}`);
  } catch (error) {
    console.log(`! ${name}`);
    console.error(error);
  }
}

// The last line, by which the runner counts, and the end of the process.
export function finish(client) {
  const { version } = JSON.parse(readFileSync(`node_modules/${client}/package.json`, "utf8"));
  const word = passed === total ? "ok" : "failed";
  process.stdout.write(`${word} ${passed}/${total} ${client} ${version}\n`, () =>
    process.exit(passed === total ? 0 : 1),
  );
}

async function soon(promise) {
  const ended = new AbortController();
  const late = sleep(PATIENCE, null, { signal: ended.signal }).then(() => {
    throw new Error(`nothing came within ${PATIENCE / 1000} seconds`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    ended.abort();
  }
}

export async function graph(query, variables = {}, key = ADMIN_KEY) {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

export async function mutate(field, type, input, selection) {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} errors { message } } }`;
  const { [field]: payload } = await graph(query, { input });
  assert.deepEqual(payload.errors, []);
  return payload;
}

// A key, of the administrator when it is nobody else's, and how to revoke it.
export async function newKey(userId = null) {
  const { apiKey, secret } = await mutate(
    "createApiKey",
    "CreateApiKeyInput",
    { name: "conformance", userId },
    "secret apiKey { id }",
  );
  return { secret, revoke: () => mutate("revokeApiKey", "RevokeApiKeyInput", { id: apiKey.id }, "apiKey { id }") };
}

// A session whose customer has this name, and the cursor of the moment after it was made.
export async function newSession(name) {
  sessions += 1;
  const described = { system: "SESSION", name, phoneNumber: `47${process.pid}000${sessions}` };
  const { customer } = await mutate("createCustomer", "CreateCustomerInput", described, "customer { id }");
  const { interaction } = await mutate(
    "receiveMessage",
    "ReceiveMessageInput",
    {
      target: { customer: { kind: "SESSION", customerId: customer.id } },
      contents: [{ text: { content: "Hello?" } }],
    },
    "interaction { id }",
  );
  const { events } = await graph("{ events(first: 1) { cursor } }");
  return { id: interaction.id, name, cursor: events.cursor };
}

// What is easily broken on its way: line breaks of all sorts, what frames are made of, characters outside of the plane.
export const TEXTS = [
  "one\r\ntwo\rthree\n\nfour",
  "data: x\nevent: complete\n\n",
  "a\u2028b\u2029c\u0085d",
  "👩‍👩‍👧 \u{10ffff}",
  '\\"\u0001',
  "x".repeat(65_000),
];

export const addNote = (id, text) => mutate("addNote", "AddNoteInput", { id, text }, "note { id }");
export const raise = (id, level = "URGENT") =>
  mutate("raiseAttention", "RaiseAttentionInput", { id, level }, "interaction { id }");

// Customers in need, one after the other until somebody has heard of one: nobody tells when a subscription without a
// cursor begins.
export async function raiseUntil(isHeard) {
  for (let number = 1; !isHeard(); number += 1) {
    await raise((await newSession(`Customer ${number}`)).id);
    await sleep(200);
  }
}

// How long clients wait before they try again: long enough to do no harm where they cannot succeed.
export const pause = () => sleep(50);

// What comes, in order; `take` waits for the next that is wanted and passes over what comes before it.
export function inbox() {
  const items = [];
  let wake = () => {};
  return {
    items,
    put(item) {
      items.push(item);
      wake();
    },
    async take(wanted = () => true) {
      for (;;) {
        while (items.length) {
          const item = items.shift();
          if (wanted(item)) return item;
        }
        await new Promise((resolve) => (wake = resolve));
      }
    },
  };
}

export const INTERACTION = `subscription ($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after) { cursor topic note { text } }
}`;

// All that one operation of graphql-ws or graphql-sse is told, in order.
export function listen(client, payload, onNext = () => {}) {
  const told = inbox();
  const stop = client.subscribe(payload, {
    next: (result) => {
      onNext(result);
      told.put({ next: result });
    },
    error: (error) => told.put({ error }),
    complete: () => told.put({ complete: true }),
  });
  return { ...told, stop };
}

// A way to the server on which every connection can be broken at once, or go dead without a word.
export async function wire() {
  const { hostname, port } = new URL(SERVER);
  const sockets = new Set();
  const proxy = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    pipeline(near, far, () => {});
    pipeline(far, near, () => {});
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${proxy.address().port}`;
  return {
    http: `http://${host}/graphql`,
    ws: `ws://${host}/graphql`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    freeze: () => sockets.forEach((socket) => socket.unpipe().pause()),
  };
}

// Has the server stop and start again with the same database, and waits until it has.
export const restart = () => begunAgain("SIGUSR1");

// The same with an empty database in place of the one before.
export const replaceDatabase = () => begunAgain("SIGUSR2");

async function begunAgain(signal) {
  const isReady = () =>
    fetch(`${SERVER}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  process.kill(Number(process.env.RUNNER), signal);
  for (const wanted of [false, true]) while ((await isReady()) !== wanted) await pause();
}

// Gives clients the WebSocket that they find in a browser.
export async function browserSockets() {
  globalThis.WebSocket = (await import("ws")).WebSocket;
}

// A page of the repository, by its path.
export const pageOf = (path) => readFileSync(`${process.env.ROOT}/${path}`, "utf8");

// What a page shows in this language below a heading, with `way` in place of its example host.
export function pageCode(page, heading, language, way) {
  const section = pageOf(page)
    .split(new RegExp(`\n##+ ${heading}\n`))[1]
    ?.split(/\n##+ /)[0];
  const found = section?.match(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s"));
  assert.ok(found, `${page} has no ${language} below ${heading}`);
  return found[1]
    .replaceAll(/https:\/\/switchboard\.example\/graphql|http:\/\/127\.0\.0\.1:8000\/graphql/g, way.http)
    .replaceAll("wss://switchboard.example/graphql", way.ws);
}

// Runs code as a module, which finds what is given in global names; what it exports.
export async function runCode(code, given) {
  Object.assign(globalThis, given);
  pages += 1;
  writeFileSync(`page${pages}.mjs`, code);
  return import(`${process.cwd()}/page${pages}.mjs`);
}

// Runs what docs/live.md shows below these headings, as one module.
export const runPage = (headings, way, given) =>
  runCode(headings.map((heading) => pageCode("docs/live.md", heading, "js", way)).join("\n"), given);
