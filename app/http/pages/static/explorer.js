// A small explorer of the graph for machines that have no GraphiQL: write, run, listen, look up.

import { ask, keyOfAddress, listen } from "./client.js";
import { chosen, operationsOf } from "./operations.js";
import { INTROSPECTION, SchemaTree } from "./schema.js";
import { drawSignIn, SignIn } from "./signin.js";

const MOST_ITEMS = 200;
const byId = (id) => document.getElementById(id);
const [text, variables, headers, answer] = ["document", "variables", "headers", "answer"].map(byId);
const tabs = JSON.parse(byId("tabs").textContent);
const signIn = new SignIn(JSON.parse(byId("providers").textContent));
let running = null;
let tree = null;

function status(message) {
  byId("status").textContent = message;
}

function showTab(number) {
  text.value = tabs[number].query;
  variables.value = tabs[number].variables;
  [...byId("tabs-bar").children].forEach((tab, index) => tab.setAttribute("aria-selected", String(index === number)));
  showOperations();
}

function showOperations() {
  const select = byId("operation");
  const before = select.value;
  const names = operationsOf(text.value).map(({ kind, name }) => ({ kind, name: name ?? "" }));
  select.replaceChildren(...names.map(({ kind, name }) => new Option(name || `(${kind})`, name)));
  if (names.some(({ name }) => name === before)) select.value = before;
}

function parsed(area, what) {
  if (!area.value.trim()) return {};
  try {
    return JSON.parse(area.value);
  } catch (error) {
    throw new Error(`The ${what} are not JSON: ${error.message}`);
  }
}

function show(value) {
  answer.textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

async function run() {
  if (running) {
    running();
    return;
  }
  byId("run").textContent = "■ Stop";
  try {
    const name = byId("operation").value;
    const request = { query: text.value, operationName: name || undefined, variables: parsed(variables, "variables") };
    const given = { ...(await signIn.headers()), ...parsed(headers, "headers") };
    await (chosen(text.value, name)?.kind === "subscription" ? receive(request, given) : answered(request, given));
    void loadSchema(given);
  } catch (error) {
    if (error.name !== "AbortError") show(error.message);
    status(error.name === "AbortError" ? "Stopped." : "Failed.");
  } finally {
    running = null;
    byId("run").textContent = "▶ Run";
  }
}

async function answered(request, given) {
  const control = new AbortController();
  running = () => control.abort();
  status("Waiting …");
  const started = performance.now();
  show(await ask(request, given, control.signal));
  status(`${Math.round(performance.now() - started)} ms`);
}

async function receive(request, given) {
  const items = listen(request, given);
  running = () => items.return();
  show("");
  status("Listening …");
  let count = 0;
  for await (const item of items) {
    count += 1;
    const entry = document.createElement("div");
    entry.textContent = `${new Date().toLocaleTimeString()}  ${JSON.stringify(item, null, 2)}`;
    answer.prepend(entry);
    while (answer.childElementCount > MOST_ITEMS) answer.lastElementChild.remove();
    status(`Listening … ${count} received`);
  }
  status(`Ended after ${count}.`);
}

async function loadSchema(given) {
  if (tree) return;
  const found = await ask({ query: INTROSPECTION }, given);
  if (found.data && !tree) tree = new SchemaTree(byId("schema"), found.data.__schema);
}

const key = keyOfAddress();
const placeholder = signIn.providers.length ? {} : { Authorization: "Bearer <your key>" };
headers.value = JSON.stringify(key ? { Authorization: `Bearer ${key}` } : placeholder, null, 2);
byId("tabs-bar").append(
  ...tabs.map((tab, number) => {
    const button = document.createElement("button");
    button.textContent = operationsOf(tab.query)[0]?.name ?? `Example ${number + 1}`;
    button.setAttribute("role", "tab");
    button.onclick = () => showTab(number);
    return button;
  }),
);
byId("run").onclick = () => void run();
byId("clear").onclick = () => show("");
byId("search").oninput = ({ target }) => tree?.show(target.value);
text.oninput = showOperations;
document.onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    void run();
  }
};
showTab(0);
try {
  await signIn.finish();
  if (key || signIn.isSignedIn) await loadSchema({ ...(await signIn.headers()), ...parsed(headers, "headers") });
} catch (error) {
  status(error.message);
}
drawSignIn(byId("sign-in"), signIn, status);
