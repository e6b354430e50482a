import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { Client, fetchExchange } from "@urql/core";
import CachePolicy from "http-cache-semantics";
import { ADMIN_KEY, check, finish, graph, mutate, newKey, newSession, pause, SERVER } from "./harness.mjs";

const ME = "{ viewer { user { id name } apiKey { id } } }";
const LIST = "{ interactions(first: 50) { totalCount nodes { id } } }";

const listening = async (server) => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
};

// What may be kept: its answers count up, so that one that was kept is told from a new one.
let answers = 0;
const control = http.createServer((_, response) => response.end(String((answers += 1))));
const CONTROL = `http://127.0.0.1:${await listening(control)}`;

// A shared cache that keeps what RFC 9111 lets it keep, for ten minutes, and gives it to whom the answer varies by.
async function cacheByTheRules() {
  const kept = new Map();
  const server = http.createServer(async (asked, response) => {
    const request = { url: asked.url, method: asked.method, headers: asked.headers };
    const known = kept.get(asked.url);
    if (known?.policy.satisfiesWithoutRevalidation(request)) {
      response.writeHead(known.status, { ...known.policy.responseHeaders(), "x-cache": "HIT" }).end(known.body);
      return;
    }
    const headers = { ...asked.headers, connection: "close" };
    const origin = (asked.url.startsWith("/control") ? CONTROL : SERVER) + asked.url;
    const body = [];
    for await (const part of asked) body.push(part);
    const upstream = http.request(origin, { method: asked.method, headers }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      const whole = Buffer.concat(parts);
      const told = { status: answer.statusCode, headers: answer.headers };
      if (new CachePolicy(request, told, { shared: true }).storable()) {
        const lasting = { ...told, headers: { ...told.headers, "cache-control": "public, max-age=600" } };
        kept.set(asked.url, { policy: new CachePolicy(request, lasting), status: told.status, body: whole });
      }
      response.writeHead(answer.statusCode, { ...answer.headers, "x-cache": "MISS" }).end(whole);
    });
    upstream.end(Buffer.concat(body));
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, stop: () => server.close() };
}

// nginx from the system, or null.
async function nginx() {
  const program = ["nginx", "/usr/sbin/nginx"].find((name) => spawnSync(name, ["-v"]).status === 0);
  if (!program) return null;
  const prefix = `${process.cwd()}/nginx`;
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix);
  const free = net.createServer();
  const port = await listening(free);
  await new Promise((resolve) => free.close(resolve));
  const settings = { PREFIX: prefix, PORT: port, SERVER, CONTROL };
  const text = readFileSync("nginx.conf", "utf8").replace(/^#.*\n/gm, "");
  const filled = text.replace(/PREFIX|PORT|SERVER|CONTROL/g, (name) => settings[name]);
  // As root its worker would be another user, who may not write here.
  writeFileSync(`${prefix}/nginx.conf`, (process.getuid() === 0 ? "user root;\n" : "") + filled);
  const running = spawn(program, ["-p", prefix, "-c", `${prefix}/nginx.conf`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    if (
      await fetch(`${url}/control/ready`).then(
        () => true,
        () => false,
      )
    )
      break;
    assert.ok(running.exitCode === null && tries < 200, "nginx did not start");
    await pause();
  }
  return { url, stop: () => running.kill() };
}

const { user } = await mutate(
  "createUser",
  "CreateUserInput",
  { name: "Reader", login: `reader-${process.pid}`, permissions: ["CONVERSATION_READ"] },
  "user { id }",
);
const reader = await newKey(user.id);
const seen = await newSession("Seen by one of them");
const { interaction } = await graph("query ($id: ID!) { interaction(id: $id) { customer { phoneNumber } } }", {
  id: seen.id,
});
const KEYS = { admin: ADMIN_KEY, reader: reader.secret };
// A path of each contract that is answered with data of callers.
const CONTRACTS = [
  `/v1/customers?phone_number=${interaction.customer.phoneNumber}`,
  "/v2/agents",
  "/api/v1/ChatSession",
  "/third-party/v1/conversations?limit=5",
];
const HEADERS = {
  authorization: (key) => ({ authorization: `Bearer ${key}` }),
  "x-api-key": (key) => ({ "x-api-key": key }),
};

for (const [name, begin] of Object.entries({ "a cache by the rules of HTTP": cacheByTheRules, nginx })) {
  const cache = await begin();
  if (cache === null) {
    console.error(`${name} is not tried: it is not on this machine.`);
    continue;
  }
  const get = async (path, headers = {}) => {
    const response = await fetch(cache.url + path, { headers });
    return { status: response.status, cached: response.headers.get("x-cache"), text: await response.text(), response };
  };

  await check(`behind ${name}: what may be kept is kept`, async () => {
    const first = await get("/control/kept");
    const second = await get("/control/kept");
    assert.deepEqual([second.text, second.cached], [first.text, "HIT"]);
  });

  for (const [header, given] of Object.entries(HEADERS)) {
    await check(`behind ${name}: two callers with a key in ${header} are each answered as who they are`, async () => {
      for (const [query, of] of [
        [ME, ({ viewer }) => viewer],
        [LIST, ({ interactions }) => interactions],
      ]) {
        const found = {};
        for (const who of ["admin", "reader", "admin"]) {
          const client = new Client({
            url: `${cache.url}/graphql`,
            fetchOptions: { headers: given(KEYS[who]) },
            preferGetMethod: "force",
            exchanges: [fetchExchange],
          });
          const { data, error } = await client.query(query, {}).toPromise();
          assert.ok(!error, String(error));
          assert.deepEqual(of(data), of(await graph(query, {}, KEYS[who])));
          found[who] = JSON.stringify(of(data));
        }
        assert.notEqual(found.admin, found.reader);
      }
    });
  }

  await check(`behind ${name}: who has no key gets nothing that others were answered`, async () => {
    const path = `/graphql?query=${encodeURIComponent(ME)}`;
    assert.equal((await get(path, HEADERS["x-api-key"](ADMIN_KEY))).status, 200);
    const refused = await get(path);
    assert.equal(refused.status, 401);
    assert.ok(!refused.text.includes("viewer"));
    assert.equal((await get(path, HEADERS["x-api-key"](ADMIN_KEY))).status, 200, "the refusal was kept");
  });

  await check(`behind ${name}: a change is seen by the next request`, async () => {
    const query = "query ($id: ID!) { interaction(id: $id) { version } }";
    const session = await newSession("Changed behind a cache");
    const variables = JSON.stringify({ id: session.id });
    const path = `/graphql?query=${encodeURIComponent(query)}&variables=${encodeURIComponent(variables)}`;
    const version = async () =>
      JSON.parse((await get(path, HEADERS["x-api-key"](ADMIN_KEY))).text).data.interaction.version;
    const before = await version();
    await mutate("raiseAttention", "RaiseAttentionInput", { id: session.id }, "interaction { id }");
    assert.equal(await version(), before + 1);
  });

  await check(`behind ${name}: answers of the contracts are their callers' as well`, async () => {
    for (const path of CONTRACTS) {
      const mine = await get(path, HEADERS.authorization(ADMIN_KEY));
      assert.equal(mine.status, 200, `${path}: ${mine.text}`);
      const again = await get(path, HEADERS.authorization(ADMIN_KEY));
      assert.notEqual(again.cached, "HIT", path);
      const nobody = await get(path);
      assert.ok([401, 403].includes(nobody.status), `${path}: ${nobody.status}`);
    }
  });
  cache.stop();
}

await reader.revoke();
finish("http-cache-semantics");
