// Starts GraphiQL with the example tabs and a fetcher that speaks both transports.

import { ask, endpoint, keyOfAddress, listen } from "./client.js";
import { chosen } from "./operations.js";
import { drawSignIn, SignIn } from "./signin.js";

const key = keyOfAddress();
const signIn = new SignIn(JSON.parse(document.getElementById("providers").textContent));
const placeholder = signIn.providers.length ? {} : { Authorization: "Bearer <your key>" };
const headers = JSON.stringify(key ? { Authorization: `Bearer ${key}` } : placeholder, null, 2);
const tabs = JSON.parse(document.getElementById("tabs").textContent);
const workers = document.body.dataset.workers;

// The editor asks for its workers by label; each is a file of this server.
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => `${workers}/${label}.js`,
};

async function fetcher({ query, operationName, variables }, options) {
  // Just after a change of tabs, GraphiQL still names the operation of the tab before.
  const operation = chosen(query, operationName);
  const request = { query, operationName: operation?.name ?? operationName, variables };
  const given = { ...(await signIn.headers()), ...options?.headers };
  return operation?.kind === "subscription" ? listen(request, given) : ask(request, given);
}

function say(message) {
  document.getElementById("sign-in-fault").textContent = message;
}

await signIn.finish().catch(({ message }) => say(message));
drawSignIn(document.getElementById("sign-in"), signIn, say);

const script = document.createElement("script");
script.src = document.body.dataset.script;
script.onload = () => {
  document.getElementById("state").remove();
  globalThis.YogaGraphiQL.renderYogaGraphiQL(document.getElementById("root"), {
    fetcher,
    title: "Switchboard",
    logo: " ",
    headers,
    defaultTabs: tabs.map((tab) => ({ ...tab, headers })),
    shouldPersistHeaders: false,
    onEditQuery: () => history.replaceState({}, "", endpoint.pathname + location.hash),
  });
};
document.body.append(script);
