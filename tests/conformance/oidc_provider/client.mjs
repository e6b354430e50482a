import assert from "node:assert/strict";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import Provider from "oidc-provider";
import puppeteer from "puppeteer-core";
import { addNote, check, ENDPOINT, finish, graph, newSession, restart, SERVER } from "./harness.mjs";

// The issuer that `settings` names.
const ISSUER = "http://127.0.0.1:28761";
const SECONDS = 40; // that a token lasts: the page refreshes it half a minute before its end

const granted = [];
const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: "pages",
      token_endpoint_auth_method: "none",
      redirect_uris: [ENDPOINT],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
  ],
  clientBasedCORS: (_context, origin) => origin === SERVER,
  cookies: { keys: ["of a conformance run"] },
  extraTokenClaims: () => ({ groups: ["leads"], name: "Ana Lund" }),
  findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "https://switchboard.example.com",
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "openid",
        audience: "switchboard",
        accessTokenFormat: "jwt",
        accessTokenTTL: SECONDS,
      }),
    },
  },
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  rotateRefreshToken: true,
});
provider.on("grant.success", ({ oidc }) => granted.push(oidc.params.grant_type));
const server = createServer(provider.callback());
await new Promise((ready) => server.listen(28761, "127.0.0.1", ready));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const page = await browser.newPage();
page.setDefaultTimeout(120_000);

const press = async (selector) => {
  await page.waitForSelector(selector);
  await page.$eval(selector, (element) => element.click());
};
const heading = (text) => page.waitForFunction((word) => document.body.innerText.includes(word), {}, text);
const ask = (query) =>
  page.evaluate(async (document_) => {
    document.getElementById("answer").textContent = "";
    document.getElementById("document").value = document_;
    document.getElementById("document").oninput();
    document.getElementById("run").click();
    while (!document.getElementById("answer").textContent) await new Promise((again) => setTimeout(again, 50));
    return JSON.parse(document.getElementById("answer").textContent);
  }, query);

let token;
page.on("request", (request) => {
  const { authorization } = request.headers();
  if (request.url() === ENDPOINT && authorization) token = authorization.slice("Bearer ".length);
});

await check("the page signs in by Authorization Code with PKCE", async () => {
  await page.goto(ENDPOINT);
  await press("#sign-in button");
  await page.waitForSelector("input[name=login]");
  await page.type("input[name=login]", "ana");
  await page.type("input[name=password]", "any");
  await page.click("button[type=submit]");
  await heading("Continue");
  await page.click("button[type=submit]");
  await page.waitForFunction(() => document.querySelector("#sign-in button")?.textContent === "Sign out");
  assert.equal(page.url(), ENDPOINT);
  const { data } = await ask("{ viewer { user { name login } permissions apiKey { id } } }");
  assert.deepEqual(data.viewer, {
    user: { name: "Ana Lund", login: "ana" },
    permissions: ["DIRECTORY_READ", "SESSION_READ", "SESSION_WRITE"],
    apiKey: null,
  });
});

await check("the page keeps its tokens in memory alone", async () => {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.equal(kept.includes("eyJ"), false);
});

await check("the page refreshes its token before it ends", async () => {
  const before = token;
  await sleep(12_000);
  const { data } = await ask("{ viewer { user { login } } }");
  assert.equal(data.viewer.user.login, "ana");
  assert.notEqual(token, before);
  assert.deepEqual(granted.slice(0, 2), ["authorization_code", "refresh_token"]);
});

await check("its tokens are taken over HTTP, by a contract, and as x-api-key", async () => {
  assert.equal((await graph("{ viewer { user { login } } }", {}, token)).viewer.user.login, "ana");
  for (const headers of [{ authorization: `Bearer ${token}` }, { authorization: `Token token="${token}"` }]) {
    assert.equal((await fetch(`${SERVER}/v1/customers?phone_number=123`, { headers })).status, 200);
  }
  const headers = { "x-api-key": token, "content-type": "application/json" };
  const answer = await fetch(ENDPOINT, { method: "POST", headers, body: JSON.stringify({ query: "{ __typename }" }) });
  assert.equal(answer.status, 200);
});

await check("a token that was changed is refused", async () => {
  const [head, body, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), sub: "root" };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  const answer = await fetch(ENDPOINT, {
    method: "POST",
    headers: { authorization: `Bearer ${forged}`, "content-type": "application/json" },
    body: JSON.stringify({ query: "{ __typename }" }),
  });
  assert.equal(answer.status, 401);
  assert.equal((await answer.json()).errors[0].message, "The signature of this token is not valid.");
});

await check("the browser's own EventSource resumes by its ticket, also before it was sent anything", async () => {
  // With the key of the administrator, because the token of the page ends within the minute.
  const session = await newSession("Listened to");
  const { createStreamTicket } = await graph("mutation { createStreamTicket(input: {}) { ticket } }");
  const query = `subscription { interactionChanged(id: "${session.id}") { note { text } } }`;
  const address = `${ENDPOINT}?${new URLSearchParams({ query, ticket: createStreamTicket.ticket })}`;
  await page.evaluate((url) => {
    globalThis.notes = [];
    globalThis.opened = 0;
    globalThis.source = new EventSource(url);
    source.onopen = () => (opened += 1);
    source.addEventListener("next", ({ data }) => {
      const { note } = JSON.parse(data).data.interactionChanged;
      if (note) notes.push(note.text);
    });
  }, address);
  await page.waitForFunction(() => opened === 1);
  await sleep(1_000); // its first block, which holds the place alone, is on its way
  await restart();
  await addNote(session.id, "while it was away");
  await page.waitForFunction(() => opened === 2 && notes.length === 1);
  await restart();
  await addNote(session.id, "again");
  await page.waitForFunction(() => opened === 3 && notes.length === 2);
  assert.deepEqual(await page.evaluate(() => notes), ["while it was away", "again"]);
  await page.evaluate(() => source.close());
});

await browser.close();
server.close();
finish("oidc-provider");
