import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { check, finish, mutate, newSession, pageCode, pause, raise, restart } from "./harness.mjs";

const DOCUMENT = `subscription { attentionChanged { change interactionId } }`;
const OWN_PORT = "8080"; // that the page shows

const ports = createServer();

async function freePort() {
  await new Promise((resolve) => ports.listen(0, "127.0.0.1", resolve));
  const { port } = ports.address();
  await new Promise((resolve) => ports.close(resolve));
  return port;
}

// A receiver as the page shows it, in a process of its own and on a port of its own.
class Receiver {
  constructor(heading, language, file, command, folder) {
    this.code = pageCode("docs/alerts.md", heading, language, {});
    assert.ok(this.code.includes(OWN_PORT));
    Object.assign(this, { file, command, folder });
    this.said = "";
  }

  async start(secret) {
    this.port ??= await freePort();
    writeFileSync(`${this.folder}/${this.file}`, this.code.replace(OWN_PORT, String(this.port)));
    const env = { ...process.env, WEBHOOK_SECRET: secret, PYTHONUNBUFFERED: "1" };
    this.process = spawn(this.command, [this.file], { cwd: this.folder, env, stdio: ["ignore", "pipe", "inherit"] });
    this.process.stdout.on("data", (chunk) => (this.said += chunk));
    while (!(await this.post("{}", {}).catch(() => null))) await pause();
  }

  async stop() {
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill();
    await gone;
  }

  // What the receiver answers to a request; it fails while the receiver is away.
  async post(body, headers) {
    const answer = await fetch(`http://127.0.0.1:${this.port}/`, { method: "POST", headers, body });
    return answer.status;
  }

  // How often it has made something of an item about the interaction.
  made(id) {
    return this.said.split(`'${id}'`).length - 1;
  }
}

// Passes requests on to a receiver, and loses the answers that it is told to lose.
async function front(receiver) {
  const seen = [];
  const found = { seen, loses: 0 };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith("webhook-")));
    const status = await receiver.post(body, headers).catch(() => 502);
    seen.push({ body, headers, status });
    if (status < 300 && found.loses > 0) {
      found.loses -= 1;
      request.socket.destroy();
    } else {
      response.writeHead(status).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(found, { address: `http://127.0.0.1:${server.address().port}/hook` });
}

async function until(isSo) {
  while (!isSo()) await pause();
}

async function of(receiver, name) {
  const way = await front(receiver);
  const { secret } = await mutate(
    "createDestination",
    "CreateDestinationInput",
    { name, address: way.address, document: DOCUMENT },
    "secret destination { id }",
  );
  await receiver.start(secret);
  const needy = async () => {
    const { id } = await newSession(name);
    await raise(id);
    return id;
  };

  await check(`the receiver in ${name} takes an alert that is signed for it`, async () => {
    const id = await needy();
    await until(() => receiver.made(id) > 0);
    assert.ok(way.seen.every(({ status }) => status === 204));
  });

  await check(`the receiver in ${name} refuses another body, another id, another time, and no signature`, async () => {
    const { body, headers } = way.seen[0];
    const before = receiver.said;
    const long = String(Number(headers["webhook-timestamp"]) - 3600);
    assert.equal(await receiver.post(`${body} `, headers), 401);
    assert.equal(await receiver.post(body, { ...headers, "webhook-id": "another" }), 401);
    assert.equal(await receiver.post(body, { ...headers, "webhook-timestamp": long }), 401);
    assert.equal(await receiver.post(body, {}), 401);
    assert.equal(receiver.said, before);
    assert.equal(await receiver.post(body, headers), 204);
    assert.equal(receiver.said, before);
  });

  await check(`the receiver in ${name} does nothing twice when its answer was lost`, async () => {
    const soFar = way.seen.length;
    way.loses = 1;
    const id = await needy();
    const came = () => way.seen.slice(soFar).map(({ headers }) => headers["webhook-id"]);
    await until(() => way.loses === 0 && came().length > new Set(came()).size);
    const last = await needy();
    await until(() => receiver.made(last) > 0);
    const about = way.seen.filter(({ body }) => body.includes(`"${id}"`));
    assert.equal(receiver.made(id), new Set(about.map(({ headers }) => headers["webhook-id"])).size);
  });

  await check(`the receiver in ${name} gets what happened while it was away and the server was restarted`, async () => {
    await receiver.stop();
    const id = await needy();
    await until(() => way.seen.some(({ body, status }) => body.includes(`"${id}"`) && status === 502));
    await restart();
    assert.equal(receiver.made(id), 0);
    await receiver.start(secret);
    await until(() => receiver.made(id) > 0);
  });
  await receiver.stop();
}

const folder = mkdtempSync(`${tmpdir()}/receiver-`);
const python = `${process.env.ROOT}/.venv/bin/python`;
await of(new Receiver("Receive in Python", "python", "receiver.py", python, folder), "Python");
await of(new Receiver("Receive in Node", "js", "receiver.mjs", process.execPath, process.cwd()), "Node");
finish("standardwebhooks");
