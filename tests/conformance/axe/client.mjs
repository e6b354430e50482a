import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";
import { ADMIN_KEY, SERVER, addNote, check, finish, graph, newSession, raise } from "./harness.mjs";

const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const page = await browser.newPage();
page.setDefaultTimeout(120_000);

// What axe-core complains of in both schemes, with the elements that are at fault.
async function findings() {
  const found = [];
  for (const value of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => (await globalThis.axe.run(document)).violations);
    found.push(...violations.map(({ id, nodes }) => `${value} ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`));
  }
  return found;
}

const press = async (key, then) => {
  await page.focus("switchboard-interaction h2");
  await page.keyboard.press(key);
  await page.waitForSelector(then, { visible: true });
};

const { id } = await newSession("Customer");
await addNote(id, "of a conformance run");
await raise(id, "HIGH");
await graph('mutation ($id: ID!) { addLabels(input: {id: $id, labels: ["a label"]}) { errors { code } } }', { id });

await check("the form to sign in", async () => {
  await page.goto(SERVER);
  await page.waitForSelector("#key");
  assert.deepEqual(await findings(), []);
});

await check("the queue and an open interaction", async () => {
  await page.goto(`${SERVER}/#key=${encodeURIComponent(ADMIN_KEY)}`);
  await page.waitForSelector(".rows a");
  await page.click(".rows a");
  await page.waitForSelector(".chip");
  assert.deepEqual(await findings(), []);
});

await check("the menu of assignable users", async () => {
  await press("a", "switchboard-assign .menu-entry");
  assert.deepEqual(await findings(), []);
  await page.keyboard.press("Escape");
});

await check("the history", async () => {
  await press("h", ".history li");
  assert.deepEqual(await findings(), []);
  await page.keyboard.press("Escape");
});

await check("the search and its results", async () => {
  await page.focus("switchboard-search input");
  await page.keyboard.type(id);
  await page.waitForSelector(".results a");
  assert.deepEqual(await findings(), []);
});

await check("the wallboard", async () => {
  await page.goto(`${SERVER}/wall`);
  await page.waitForSelector(".tile[data-level=HIGH]");
  assert.deepEqual(await findings(), []);
});

await check("the reports", async () => {
  await page.goto(`${SERVER}/reports`);
  await page.waitForSelector("switchboard-reports table");
  assert.deepEqual(await findings(), []);
});

await check("the administration", async () => {
  await page.goto(`${SERVER}/admin`);
  for (const part of ["users", "keys", "teams", "topics", "channels", "connections", "destinations", "policies", "settings"]) {
    await page.click(`.parts a[href="#${part}"]`);
    await page.waitForFunction((name) => document.querySelector("switchboard-part").part.name === name, {}, part);
    await page.waitForFunction(() => !document.querySelector("switchboard-part").innerText.includes("Loading"));
    assert.deepEqual(await findings(), [], part);
  }
});

await check("a form of the administration", async () => {
  await page.click('.parts a[href="#users"]');
  await page.waitForSelector(".entry");
  await page.click("[data-action=createUser]");
  await page.waitForSelector("dialog form");
  await page.keyboard.press("Enter"); // what is missing is said at the fields
  assert.deepEqual(await findings(), []);
});

await browser.close();
finish("axe-core");
