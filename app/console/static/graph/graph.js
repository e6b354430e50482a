// The graph for one caller: queries and mutations over HTTP, subscriptions that resume by cursor.

import { ask } from "../../pages/client.js";
import { SignedOut } from "../../pages/signin.js";
import { Socket, wait } from "./socket.js";

const PATIENCE = 15_000;
const LOST = ["CURSOR_EXPIRED", "INVALID_CURSOR"]; // the server cannot go on from the cursor: the state is read again

/** A request that was refused. `code` is the graph's, or "UNREACHABLE" where no answer came. */
export class Refused extends Error {
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.more = more;
  }
}

/** What one caller sees of the graph. `headers()` gives those of the next request; `connection` is its socket, which says how it stands. */
export class Graph {
  #headers;

  constructor(headers) {
    this.#headers = headers;
    this.connection = new Socket(headers);
  }

  /** The data of a query. Throws Refused. */
  query(query, variables) {
    return asked({ query, variables }, this.#headers);
  }

  /** The payload of a mutation of one field. Throws Refused, with the refusal's own fields in `more`. */
  async mutate(query, input) {
    const [payload] = Object.values(await this.query(query, { input }));
    const [error] = payload.errors;
    if (error) throw new Refused(error.code, error.message, error);
    return payload;
  }

  /**
   * Follows something: reads it, and then its items from the cursor on, for as long as it takes.
   *
   * `read()` reads it anew and returns its cursor; it is called again when the cursor is lost. `subscription` is a
   * document with the variable `$after`, `take` is given each of its items, and `fail` a Refused that ends it.
   * Returns the function that ends it.
   */
  follow({ read, subscription, variables = {}, take, fail }) {
    let stop = () => {};
    let timer = 0;
    let ended = false;
    let tries = 0;
    const later = (f) => (timer = setTimeout(f, wait(tries++)));
    const begin = async () => {
      try {
        const after = await read();
        if (!ended) resume(after);
      } catch (error) {
        if (ended) return;
        if (!(error instanceof Refused)) throw error;
        if (PASSING.includes(error.code)) later(begin);
        else fail(error);
      }
    };
    const resume = (cursor) => {
      let after = cursor;
      const end = (errors) => {
        stop();
        const code = errors?.[0]?.extensions?.code;
        if (LOST.includes(code)) begin();
        else if (!errors || PASSING.includes(code)) later(() => resume(after));
        else fail(new Refused(code, errors[0].message));
      };
      const next = ({ data, errors }) => {
        if (errors) return end(errors);
        const [item] = Object.values(data);
        after = item.cursor;
        tries = 0;
        take(item);
      };
      stop = this.connection.subscribe(() => ({ query: subscription, variables: { ...variables, after } }), { next, end });
    };
    begin();
    return () => {
      ended = true;
      clearTimeout(timer);
      stop();
    };
  }

  /** Takes the items of a subscription that has no cursor, such as that of typing. Returns the function that ends it. */
  hear(subscription, variables, take) {
    let stop = () => {};
    let timer = 0;
    let tries = 0;
    const next = ({ data, errors }) => {
      if (errors) return;
      tries = 0;
      take(Object.values(data)[0]);
    };
    const end = (errors) => {
      if (!errors || PASSING.includes(errors[0].extensions?.code)) timer = setTimeout(begin, wait(tries++));
    };
    const begin = () => {
      stop = this.connection.subscribe(() => ({ query: subscription, variables }), { next, end });
    };
    begin();
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  close() {
    this.connection.close();
  }
}

const PASSING = ["UNREACHABLE", "UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "TOO_MANY", "INTERNAL"]; // worth another try

/** The viewer whose headers these are. Throws Refused. */
export async function viewerOf(headers, query) {
  const { viewer } = await asked({ query }, headers);
  return viewer;
}

async function asked(request, headers) {
  let answer;
  try {
    answer = await ask(request, await headers(), AbortSignal.timeout(PATIENCE));
  } catch (error) {
    throw new Refused(error instanceof SignedOut ? "UNAUTHENTICATED" : "UNREACHABLE", error.message);
  }
  const { data, errors } = answer;
  if (errors?.length) throw new Refused(errors[0].extensions?.code, errors[0].message);
  return data;
}
