// What the vendor's client has to be able to do: every call of its ChatAgent that is served, and a failure.
const assert = require('node:assert/strict');
const { ChatMessageType, ChatSessionStatus, WebApi } = require('@superoffice/webapi');

const { SERVER, ADMIN_KEY } = process.env;

async function graph(name, type, input, selection) {
  const query = `mutation($input: ${type}!) { ${name}(input: $input) { ${selection} errors { message } } }`;
  const response = await fetch(`${SERVER}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  assert.deepEqual(data[name].errors, []);
  return data[name];
}

async function main() {
  const { chatTopic } = await graph(
    'createChatTopic', 'CreateChatTopicInput', { name: 'Sales', welcomeMessage: 'Welcome!' }, 'chatTopic { topicId }');
  const { user } = await graph('createUser', 'CreateUserInput', { name: 'Tony', login: 'tony' }, 'user { id }');
  await graph('setPresence', 'SetPresenceInput', { present: true, userId: user.id }, 'user { id }');
  const topic = chatTopic.topicId;

  const api = new WebApi(SERVER);
  api.authenticateWithToken(ADMIN_KEY);
  const chat = api.getChatAgent();

  const blank = await chat.createDefaultChatSessionEntityAsync();
  assert.equal(blank.chatSessionId, 0);
  const made = await chat.saveChatSessionEntityAsync(Object.assign(blank, { topicId: topic, customerName: 'Ana' }));
  assert.deepEqual([made.status, made.customerName, made.customerEmail], [ChatSessionStatus.InQueue, 'Ana', null]);
  const id = made.chatSessionId;
  const read = await chat.getChatSessionEntityAsync(id);
  assert.equal(read.sessionKey, '********');
  assert.equal(read.whenRequested.getTime(), made.whenRequested.getTime());
  assert.equal(await chat.getChatSessionEntityAsync(id + 1000), null);

  const picked = await chat.pickUpFirstChatSessionAsync();
  assert.deepEqual([picked.chatSessionId, picked.status, picked.rank], [id, ChatSessionStatus.UserLast, 1]);
  assert.equal(await chat.pickUpFirstChatSessionAsync(), null);
  assert.equal(await chat.pickUpChatSessionAsync(id), null);

  const message = { type: ChatMessageType.ToCustomer, message: 'hi', author: 'Bot' };
  const posted = await chat.addChatMessageAsync(id, message);
  assert.deepEqual([posted.message, posted.type, posted.author], ['hi', ChatMessageType.ToCustomer, 'Bot']);
  assert.deepEqual((await chat.getChatMessagesAsync(id, 0)).map((each) => each.message), ['Welcome!', 'hi']);
  assert.deepEqual(await chat.getChatMessagesAsync(id, posted.chatMessageId), []);
  assert.match(await chat.getChatTranscriptAsync(id, false), /Bot: hi$/);

  assert.equal((await chat.transferChatSessionAsync(id, 'tony')).transferTo.name, 'tony');
  // It is offered to somebody else, so nothing happens.
  assert.equal((await chat.acceptChatSessionTransferAsync(id)).transferTo.name, 'tony');
  assert.equal((await chat.rejectChatSessionTransferAsync(id)).transferTo.name, 'tony');

  const partial = { chatSessionId: id, status: ChatSessionStatus.Closed, rating: 4, transferTo: { associateId: 5 } };
  const closed = await chat.saveChatSessionEntityAsync(partial);
  assert.deepEqual([closed.status, closed.rating, closed.customerName], [ChatSessionStatus.Closed, 4, 'Ana']);
  assert.deepEqual(await chat.saveChatSessionEntityAsync(closed), closed);

  const other = await chat.createChatSessionForTopicAsync(topic);
  assert.equal((await chat.pickUpChatSessionAsync(other.chatSessionId)).status, ChatSessionStatus.UserLast);
  assert.equal((await chat.resetChatSessionAsync(other.chatSessionId)).user, null);
  await chat.deleteChatSessionEntityAsync(other.chatSessionId);
  assert.equal((await chat.getChatSessionEntityAsync(other.chatSessionId)).status, ChatSessionStatus.Deleted);
  assert.ok(Array.isArray(await chat.chatSessionsForUserAsync()));

  await assert.rejects(chat.resetChatSessionAsync(id + 1000), (error) => {
    assert.deepEqual([error.response.status, error.response.data.ErrorType], [404, 'SoNotFoundException']);
    return true;
  });
  api.authenticateWithToken('wrong');
  await assert.rejects(api.getChatAgent().getChatSessionEntityAsync(id), (error) => error.response.status === 401);
}

main().then(
  () => console.log('superoffice: satisfied'),
  (error) => {
    console.error(error.response ? [error.config.url, error.response.status, error.response.data] : error);
    process.exit(1);
  },
);
