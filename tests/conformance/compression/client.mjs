import assert from "node:assert/strict";
import net from "node:net";
import { gzipSync } from "node:zlib";
import { createClient } from "graphql-ws";
import { fetch, request, WebSocket as Undici } from "undici";
import { WebSocket as Ws } from "ws";
import { addNote, ADMIN_KEY, check, finish, inbox, newSession, SERVER, TEXTS } from "./harness.mjs";

const HEADERS = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
const READ = "query ($id: ID!) { interaction(id: $id) { notes(first: 20, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { text } } } }";
const NOTE = "mutation ($input: AddNoteInput!) { addNote(input: $input) { note { text } errors { code message } } }";
const CHANGES = `subscription ($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after) { cursor note { text } }
}`;
const LONG = "Where is my order? ".repeat(3_000);

// A way to the server that counts the bytes of each direction.
const counted = { sent: 0, received: 0 };
const { hostname, port } = new URL(SERVER);
const proxy = net.createServer((near) => {
  const far = net.connect(Number(port), hostname);
  near.on("data", (data) => (counted.sent += data.length));
  far.on("data", (data) => (counted.received += data.length));
  for (const [one, other] of [
    [near, far],
    [far, near],
  ]) {
    one.pipe(other);
    one.on("error", () => other.destroy());
  }
});
await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const HOST = `127.0.0.1:${proxy.address().port}`;
const ENDPOINT = `http://${HOST}/graphql`;

function fromNow() {
  const { sent, received } = counted;
  return () => ({ sent: counted.sent - sent, received: counted.received - received });
}

const session = await newSession("Compressed");
for (const text of [LONG, ...TEXTS]) await addNote(session.id, text);
const QUERY = { query: READ, variables: { id: session.id } };
const isWhole = ({ data }) =>
  assert.deepEqual(
    data.interaction.notes.nodes.map(({ text }) => text),
    [LONG, ...TEXTS],
  );

await check("an answer comes compressed to who takes it, and is the same", async () => {
  const bytes = fromNow();
  const response = await fetch(ENDPOINT, { method: "POST", headers: HEADERS, body: JSON.stringify(QUERY) });
  assert.equal(response.headers.get("content-encoding"), "gzip");
  isWhole(await response.json());
  assert.ok(bytes().received < LONG.length / 2, `${bytes().received} bytes`);
});

for (const accepted of [null, "identity", "gzip;q=0", "br, zstd"]) {
  await check(`an answer comes as it is to who asks ${accepted ? `for ${accepted}` : "for nothing"}`, async () => {
    const { headers, body } = await request(ENDPOINT, {
      method: "POST",
      headers: { ...HEADERS, ...(accepted && { "accept-encoding": accepted }) },
      body: JSON.stringify(QUERY),
    });
    assert.equal(headers["content-encoding"], undefined);
    assert.match(headers.vary, /accept-encoding/i);
    isWhole(await body.json());
  });
}

await check("an answer of a contract comes compressed as well", async () => {
  const response = await fetch(`http://${HOST}/v1/openapi.json`);
  assert.deepEqual([response.status, response.headers.get("content-encoding")], [200, "gzip"]);
  assert.ok((await response.json()).paths);
});

await check("a stream of events is not held back by compression", async () => {
  const { body, statusCode } = await request(ENDPOINT, {
    method: "POST",
    headers: { ...HEADERS, accept: "text/event-stream", "accept-encoding": "gzip" },
    body: JSON.stringify({ query: CHANGES, variables: { id: session.id, after: session.cursor } }),
  });
  assert.equal(statusCode, 200);
  let told = "";
  for await (const part of body) {
    told += part;
    if (told.includes("event: next")) break;
  }
  assert.ok(told.includes("Where is my order?"));
});

await check("a mutation with a body of gzip is done", async () => {
  const body = gzipSync(JSON.stringify({ query: NOTE, variables: { input: { id: session.id, text: LONG } } }));
  const bytes = fromNow();
  const headers = { ...HEADERS, "content-encoding": "gzip" };
  const response = await fetch(ENDPOINT, { method: "POST", headers, body });
  const { addNote: done } = (await response.json()).data;
  assert.deepEqual([done.errors, done.note.text], [[], LONG]);
  assert.ok(bytes().sent < LONG.length / 10, `${bytes().sent} bytes`);
});

await check("a body of gzip that is sent as a stream is read", async () => {
  const stream = new Blob([JSON.stringify({ query: "{ __typename }" })]).stream();
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: { ...HEADERS, "content-encoding": "gzip" },
    body: stream.pipeThrough(new CompressionStream("gzip")),
    duplex: "half",
  });
  assert.deepEqual(await response.json(), { data: { __typename: "Query" } });
});

await check("a body of another encoding is refused with 415, and what is not gzip with 400", async () => {
  const refused = async (encoding) => {
    const headers = { ...HEADERS, "content-encoding": encoding };
    const response = await fetch(ENDPOINT, { method: "POST", headers, body: JSON.stringify(QUERY) });
    return [response.status, response.headers.get("accept-encoding")];
  };
  assert.deepEqual(await refused("br"), [415, "gzip"]);
  assert.deepEqual(await refused("gzip"), [400, null]);
});

// Undici takes compressed messages and sends none.
for (const [name, Socket, options, wayOf] of [
  ["undici", Undici, [], "as they come"],
  ["ws", Ws, [{ perMessageDeflate: true }], "both ways"],
]) {
  await check(`over WebSocket with ${name}: messages are compressed ${wayOf}, and are the same`, async () => {
    let opened;
    class Compressing extends Socket {
      constructor(url, protocols) {
        super(url, protocols, ...options);
        opened = this;
      }
    }
    const listened = await newSession(`Listened to by ${name}`);
    const client = createClient({
      url: `ws://${HOST}/graphql`,
      connectionParams: { authorization: HEADERS.authorization },
      webSocketImpl: Compressing,
      lazy: false,
    });
    const bytes = fromNow();
    const told = inbox();
    const sink = { next: told.put, error: told.put, complete: () => {} };
    const stop = client.subscribe({ query: CHANGES, variables: { id: listened.id, after: listened.cursor } }, sink);
    for (const text of [LONG, ...TEXTS]) {
      const done = inbox();
      const input = { id: listened.id, text };
      client.subscribe({ query: NOTE, variables: { input } }, { next: done.put, error: done.put, complete: () => {} });
      assert.equal((await done.take()).data.addNote.note.text, text);
      assert.equal((await told.take()).data.interactionChanged.note.text, text);
    }
    assert.match(opened.extensions, /permessage-deflate/);
    const { sent, received } = bytes();
    assert.ok(received < LONG.length / 2, `${received} bytes received`);
    assert.ok(name !== "ws" || sent < LONG.length / 2, `${sent} bytes sent`);
    stop();
    await client.dispose();
  });
}

await check("over WebSocket: who does not offer compression gets none", async () => {
  const socket = new Ws(`ws://${HOST}/graphql`, "graphql-transport-ws", { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  assert.equal(socket.extensions, "");
  socket.close();
});

finish("undici");
