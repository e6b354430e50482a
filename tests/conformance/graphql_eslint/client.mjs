import assert from "node:assert/strict";
import graphql from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";
import { CONTRACT_NAMES } from "./eslint.config.mjs";
import { check, finish } from "./harness.mjs";

const PREFIX = "@graphql-eslint/no-typename-prefix";
const [{ messages }] = await new ESLint({ cwd: process.cwd() }).lintFiles(["schema.graphql"]);
const found = messages.map(({ ruleId, line, message }) => ({ ruleId, place: coordinate(message), line, message }));
const excepted = found.filter(({ ruleId, place }) => ruleId === PREFIX && place in CONTRACT_NAMES);

// `Type.field`, of a message about a field that begins with the name of its type.
function coordinate(message) {
  const [, field, type] = /^Field "(\w+)" starts with the name of the parent type "(\w+)"$/.exec(message) ?? [];
  return field === undefined ? null : `${type}.${field}`;
}

async function rulesOf(name) {
  const config = await new ESLint({ cwd: process.cwd() }).calculateConfigForFile("schema.graphql");
  const missing = Object.keys(graphql.configs[name].rules).filter((rule) => (config.rules[rule]?.[0] ?? 0) === 0);
  assert.deepEqual(missing, []);
}

await check("every rule that is recommended for schemas is asked", () => rulesOf("flat/schema-recommended"));
await check("every rule of Relay's connections is asked", () => rulesOf("flat/schema-relay"));
await check("schema.graphql keeps the rules, but for exceptions with a reason", async () => {
  assert.deepEqual(
    found.filter((each) => !excepted.includes(each)),
    [],
  );
});
await check("every exception of a name is one", async () => {
  assert.deepEqual(excepted.map(({ place }) => place).sort(), Object.keys(CONTRACT_NAMES).sort());
});
finish("@graphql-eslint/eslint-plugin");
