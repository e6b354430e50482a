// What a connection sends to the platform, sent to a server that knows the platform's description and nothing else.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { parse } from "yaml";
import { check, finish, pause } from "./harness.mjs";

const description = parse(readFileSync(process.env.DESCRIPTION, "utf8"), { maxAliasCount: -1 });
const requests = JSON.parse(readFileSync("requests.json", "utf8"));

// Prism passes over discriminators, so that a message to an agent is an interruption, too: that has only a type. So
// each schema that a discriminator names gets the type that it is named by.
for (const { discriminator } of Object.values(description.components.schemas)) {
  for (const [value, reference] of Object.entries(discriminator?.mapping ?? {})) {
    const schema = description.components.schemas[reference.split("/").pop()];
    const own = { type: "object", properties: { [discriminator.propertyName]: { enum: [value] } } };
    schema.allOf = [...(schema.allOf ?? []), own];
  }
}
writeFileSync("description.json", JSON.stringify(description));

const port = await freePort();
const prism = spawn(
  process.execPath,
  ["node_modules/.bin/prism", "mock", "--errors", "--port", String(port), "description.json"],
  { stdio: ["ignore", "ignore", "inherit"] },
);
process.on("exit", () => prism.kill());

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// What Prism has against a request. That an example of the description is not as described is nothing of ours.
async function faults({ method, path, query, headers, body }) {
  const url = new URL(path, `http://127.0.0.1:${port}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const response = await fetch(url, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
  const told = await response.text();
  if (response.ok) return [];
  const { validation = [], ...rest } = JSON.parse(told);
  const ours = validation.filter((each) => each.location[0] !== "response");
  return validation.length && !ours.length ? [] : [{ method, path, status: response.status, ...rest, ours }];
}

async function isReady() {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

await check("Prism serves the description", async () => {
  while (!(await isReady())) {
    assert.equal(prism.exitCode, null);
    await pause();
  }
});

for (const operation of new Set(requests.map(({ operation }) => operation))) {
  await check(`${operation} is as described`, async () => {
    const found = [];
    for (const request of requests) if (request.operation === operation) found.push(...(await faults(request)));
    assert.deepEqual(found, []);
  });
}

await check("a request that is not as described is refused", async () => {
  const [any] = requests.filter(({ method }) => method === "PATCH");
  const [message] = requests.filter(({ body }) => body?.type === "input_message");
  for (const wrong of [
    { ...any, body: { enabled: "no" } },
    { ...message, body: { ...message.body, type: "unheard_of" } },
    { ...any, method: "PUT" },
  ]) {
    assert.equal((await faults(wrong)).length, 1);
  }
});

finish("@stoplight/prism-cli");
