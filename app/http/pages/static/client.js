// Speaks to the graph: queries and mutations over HTTP, subscriptions over WebSocket.

const PROTOCOL = "graphql-transport-ws";

/** The endpoint, wherever the page is served from. */
export const endpoint = new URL("/graphql", location.href);

/** The key that the address brings. A fragment never leaves the browser, so the key is in no log. */
export function keyOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("key");
}

/** The answer to a query or mutation: `{data, errors}`. Throws an Error with a sentence for people. */
export async function ask(request, headers, signal) {
  let response;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: {
        accept: "application/graphql-response+json, application/json",
        "content-type": "application/json",
        ...headers,
      },
      body: JSON.stringify(request),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached.");
  }
  try {
    return await response.json();
  } catch {
    throw new Error(`The server answered ${response.status} without JSON.`);
  }
}

/** The answers of a subscription, as an async iterable. Ending the iteration ends the subscription. */
export function listen(request, headers) {
  const waiting = [];
  const ready = [];
  let ended = false;
  const push = (entry) => (waiting.length ? settle(waiting.shift(), entry) : ready.push(entry));
  const finish = (error) => {
    if (ended) return;
    ended = true;
    push(error ? { error } : { done: true });
    while (waiting.length) settle(waiting.shift(), { done: true });
    socket.close(1000);
  };
  const address = new URL(endpoint);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address, PROTOCOL);
  const send = (message) => socket.send(JSON.stringify(message));
  socket.onopen = () => send({ type: "connection_init", payload: headers });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "connection_ack") send({ id: "1", type: "subscribe", payload: request });
    else if (message.type === "ping") send({ type: "pong" });
    else if (message.type === "next") push({ value: message.payload });
    else if (message.type === "error") {
      push({ value: { errors: message.payload } });
      finish();
    } else if (message.type === "complete") finish();
  };
  socket.onclose = ({ code, reason }) => finish(new Error(`The server closed the socket: ${reason || "no reason"} (${code}).`));
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      return new Promise((resolve, reject) => {
        const place = { resolve, reject };
        if (ready.length) settle(place, ready.shift());
        else if (ended) settle(place, { done: true });
        else waiting.push(place);
      });
    },
    return() {
      finish();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

function settle({ resolve, reject }, entry) {
  if (entry.error) reject(entry.error);
  else resolve({ done: Boolean(entry.done), value: entry.value });
}
