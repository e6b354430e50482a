import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { addNote, ADMIN_KEY, check, ENDPOINT, finish, graph, newSession, raise } from "./harness.mjs";

const MADE = "./__generated__";
const textOf = async (name) => (await import(`${MADE}/operations${name}.graphql.js`)).default.params.text;

await check(
  "what a wallboard asks is compiled: fragments on Interaction, @connection, @refetchable, @appendNode",
  async () => {
    rmSync(MADE, { recursive: true, force: true });
    const { status, stdout, stderr } = spawnSync("node_modules/.bin/relay-compiler", ["relay.config.json"], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout + stderr);
    assert.equal(readdirSync(MADE).length, 12);
  },
);

await check("the compiled query of a queue is answered, and that of its next page", async () => {
  for (const name of ["first", "second"]) await raise((await newSession(name)).id);
  const { attentionQueue, interactions, viewer } = await graph(await textOf("WallboardQuery"), {
    filter: { kinds: ["SESSION"] },
  });
  assert.ok(viewer.permissions.length > 0);
  assert.ok(interactions.edges.length >= 2);
  const page = await textOf("QueuePaginationQuery");
  const variables = { count: 1, filter: { kinds: ["SESSION"] } };
  const { attentionQueue: first } = await graph(page, variables);
  assert.deepEqual([first.edges.length, first.pageInfo.hasNextPage], [1, true]);
  const { attentionQueue: second } = await graph(page, { ...variables, after: first.pageInfo.endCursor });
  const found = [...first.edges, ...second.edges].map(({ node }) => node.id);
  assert.deepEqual(
    found,
    attentionQueue.edges.slice(0, 2).map(({ node }) => node.id),
  );
  assert.equal((await graph(await textOf("AllPaginationQuery"), { count: 1 })).interactions.edges.length, 1);
});

await check(
  "the compiled query of one interaction by `node` is answered, and that of its earlier messages",
  async () => {
    const session = await newSession("Detail");
    const { node } = await graph(await textOf("DetailQuery"), { id: session.id });
    assert.deepEqual([node.__typename, node.__isInteraction, node.customer.name], ["Session", "Session", "Detail"]);
    assert.deepEqual(
      node.messages.edges.map((edge) => edge.node.contents),
      [[{ __typename: "TextMessageContent", content: "Hello?" }]],
    );
    const earlier = { id: session.id, before: node.messages.edges[0].cursor };
    assert.deepEqual((await graph(await textOf("MessagesPaginationQuery"), earlier)).node.messages.edges, []);
  },
);

await check("the compiled mutations are answered", async () => {
  const session = await newSession("Mutations");
  const { claimInteraction } = await graph(await textOf("ClaimMutation"), { input: { id: session.id } });
  assert.deepEqual(claimInteraction.errors, []);
  assert.ok(claimInteraction.interaction.attention.claimedBy.id);
  const content = { text: { content: "Here I am." } };
  const { sendMessage } = await graph(await textOf("ReplyMutation"), { input: { id: session.id, content } });
  assert.deepEqual(sendMessage.errors, []);
  assert.equal(sendMessage.message.author, "USER");
});

await check("the compiled subscription is answered", async () => {
  const session = await newSession("Subscription");
  const leave = new AbortController();
  const response = await fetch(ENDPOINT, {
    method: "POST",
    signal: leave.signal,
    headers: { "x-api-key": ADMIN_KEY, "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: await textOf("ChangesSubscription"), variables: { after: session.cursor } }),
  });
  await addNote(session.id, "no change of attention");
  await raise(session.id);
  let received = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    received += chunk;
    if (/^data: .*\n\n/m.test(received)) break;
  }
  leave.abort();
  const { attentionChanged } = JSON.parse(received.match(/^data: (.*)$/m)[1]).data;
  assert.deepEqual([attentionChanged.change, attentionChanged.interaction.id], ["ENTERED", session.id]);
});

finish("relay-compiler");
