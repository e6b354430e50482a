import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import * as sixteen from "graphql";
import * as seventeen from "graphql-17";
import { ADMIN_KEY, check, ENDPOINT, finish, graph, pageCode, pageOf, runCode } from "./harness.mjs";

const way = { http: ENDPOINT };
const written = readFileSync("schema.graphql", "utf8");
const everything = {
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
};

for (const [version, js] of [
  ["16", sixteen],
  ["17", seventeen],
]) {
  await check(`version ${version} finds nothing to object to in schema.graphql`, async () => {
    assert.deepEqual(js.validateSchema(js.buildSchema(written)), []);
  });

  await check(`version ${version} makes the same schema of what introspection tells`, async () => {
    const told = js.buildClientSchema(await graph(js.getIntrospectionQuery(everything)));
    const print = (schema) => js.printSchema(js.lexicographicSortSchema(schema));
    assert.equal(print(told), print(js.buildSchema(written)));
  });
}

await check("the documents of README.md and docs are valid", async () => {
  const schema = sixteen.buildSchema(written);
  let documents = 0;
  for (const page of [
    "README.md",
    ...readdirSync(`${process.env.ROOT}/docs`)
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ]) {
    for (const [, text] of pageOf(page).matchAll(/^```graphql\n(.*?)^```/gms)) {
      documents += 1;
      assert.deepEqual(sixteen.validate(schema, sixteen.parse(text)), [], `${page}:\n${text}`);
    }
  }
  assert.ok(documents > 0);
});

await check("the code of README.md for a frontend is answered", async () => {
  const code = pageCode("README.md", "From a frontend", "js", way);
  const { data, errors } = await runCode(`${code}\nexport { data, errors };`, { key: ADMIN_KEY });
  assert.deepEqual([typeof data.viewer.user.name, errors], ["string", undefined]);
});

await check("the command of README.md is answered", async () => {
  const command = pageCode("README.md", "From a shell", "sh", way);
  const answer = execFileSync("sh", ["-c", command], { env: { ...process.env, KEY: ADMIN_KEY }, encoding: "utf8" });
  assert.equal(typeof JSON.parse(answer).data.viewer.user.name, "string");
});

finish("graphql");
