import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { ADMIN_KEY, check, finish, mutate, SERVER } from "./harness.mjs";

// Its CommonJS build; its other build does not load.
const { ChatAgent, ChatMessageSpecialType, ChatMessageType, ChatSessionStatus, WebApi } = createRequire(
  import.meta.url,
)("@superoffice/webapi");

const described = { name: "Sales", welcomeMessage: "Welcome!" };
const { chatTopic } = await mutate("createChatTopic", "CreateChatTopicInput", described, "chatTopic { topicId }");
const permissions = ["CHAT_SESSION_READ", "CHAT_SESSION_WRITE"];
const invited = { name: "Tony", login: "tony", permissions };
const { user } = await mutate("createUser", "CreateUserInput", invited, "user { id }");
await mutate("setPresence", "SetPresenceInput", { present: true, userId: user.id }, "user { id }");
const topic = chatTopic.topicId;
const { secret } = await mutate("createApiKey", "CreateApiKeyInput", { name: "tony", userId: user.id }, "secret");

const api = new WebApi(SERVER);
api.authenticateWithToken(ADMIN_KEY);
const chat = api.getChatAgent();
const tony = new ChatAgent(SERVER, { headers: { Authorization: `SOTicket ${secret}` } });
let id;

await check("CreateDefaultChatSessionEntity and SaveChatSessionEntity make a session", async () => {
  const blank = await chat.createDefaultChatSessionEntityAsync();
  assert.equal(blank.chatSessionId, 0);
  const made = await chat.saveChatSessionEntityAsync(Object.assign(blank, { topicId: topic, customerName: "Ana" }));
  assert.deepEqual([made.status, made.customerName, made.customerEmail], [ChatSessionStatus.InQueue, "Ana", null]);
  id = made.chatSessionId;
  const read = await chat.getChatSessionEntityAsync(id);
  assert.equal(read.whenRequested.getTime(), made.whenRequested.getTime());
});

await check("GetChatSessionEntity shows no key, and null for what is not there", async () => {
  assert.equal((await chat.getChatSessionEntityAsync(id)).sessionKey, "********");
  assert.equal(await chat.getChatSessionEntityAsync(id + 1000), null);
});

await check("PickUpFirstChatSession and PickUpChatSession give a session to one user, once", async () => {
  const picked = await chat.pickUpFirstChatSessionAsync();
  assert.deepEqual([picked.chatSessionId, picked.status, picked.rank], [id, ChatSessionStatus.UserLast, 1]);
  assert.equal(await chat.pickUpFirstChatSessionAsync(), null);
  assert.equal(await chat.pickUpChatSessionAsync(id), null);
});

await check("AddChatMessage, GetChatMessages and GetChatTranscript", async () => {
  const message = { type: ChatMessageType.ToCustomer, message: "hi", author: "Bot" };
  const posted = await chat.addChatMessageAsync(id, message);
  assert.deepEqual([posted.message, posted.type, posted.author], ["hi", ChatMessageType.ToCustomer, "Bot"]);
  assert.deepEqual(
    (await chat.getChatMessagesAsync(id, 0)).map((each) => each.message),
    ["Welcome!", "hi"],
  );
  assert.deepEqual(await chat.getChatMessagesAsync(id, posted.chatMessageId), []);
  assert.match(await chat.getChatTranscriptAsync(id, false), /Bot: hi$/);
});

await check("TransferChatSession; an offer to somebody else is neither accepted nor rejected", async () => {
  assert.equal((await chat.transferChatSessionAsync(id, "tony")).transferTo.name, "tony");
  assert.equal((await chat.acceptChatSessionTransferAsync(id)).transferTo.name, "tony");
  assert.equal((await chat.rejectChatSessionTransferAsync(id)).transferTo.name, "tony");
});

await check("AcceptChatSessionTransfer and RejectChatSessionTransfer by whom it is offered to", async () => {
  const rejected = await tony.rejectChatSessionTransferAsync(id);
  assert.equal(rejected.transferTo, null);
  assert.notEqual(rejected.user.name, "tony");
  assert.equal((await chat.transferChatSessionAsync(id, "tony")).transferTo.name, "tony");
  const accepted = await tony.acceptChatSessionTransferAsync(id);
  assert.deepEqual([accepted.user.name, accepted.transferTo], ["tony", null]);
  const messages = await tony.getChatMessagesAsync(id, 0);
  assert.deepEqual(
    messages.map((each) => each.specialType).filter((each) => each !== ChatMessageSpecialType.None),
    [ChatMessageSpecialType.Welcome, ChatMessageSpecialType.TransferRejected, ChatMessageSpecialType.TransferedSession],
  );
});

await check("SaveChatSessionEntity with a part of a session, and with all of it", async () => {
  const partial = { chatSessionId: id, status: ChatSessionStatus.Closed, rating: 4, transferTo: { associateId: 5 } };
  const closed = await chat.saveChatSessionEntityAsync(partial);
  assert.deepEqual([closed.status, closed.rating, closed.customerName], [ChatSessionStatus.Closed, 4, "Ana"]);
  assert.deepEqual(await chat.saveChatSessionEntityAsync(closed), closed);
});

await check(
  "CreateChatSessionForTopic, ResetChatSession, DeleteChatSessionEntity and ChatSessionsForUser",
  async () => {
    const other = await chat.createChatSessionForTopicAsync(topic);
    assert.equal((await chat.pickUpChatSessionAsync(other.chatSessionId)).status, ChatSessionStatus.UserLast);
    assert.equal((await chat.resetChatSessionAsync(other.chatSessionId)).user, null);
    await chat.deleteChatSessionEntityAsync(other.chatSessionId);
    assert.equal((await chat.getChatSessionEntityAsync(other.chatSessionId)).status, ChatSessionStatus.Deleted);
    assert.ok(Array.isArray(await chat.chatSessionsForUserAsync()));
  },
);

await check("what cannot be done is 404 with the contract's error, and a key that is not valid 401", async () => {
  await assert.rejects(chat.resetChatSessionAsync(id + 1000), (error) => {
    assert.deepEqual([error.response.status, error.response.data.ErrorType], [404, "SoNotFoundException"]);
    return true;
  });
  api.authenticateWithToken("wrong");
  await assert.rejects(api.getChatAgent().getChatSessionEntityAsync(id), (error) => error.response.status === 401);
});

finish("@superoffice/webapi");
