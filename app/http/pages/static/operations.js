// Finds the operations of a document without parsing it: what is needed to choose one and to know how to send it.

const TOKEN = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[_A-Za-z]\w*|[{}()]/g;
const KINDS = ["query", "mutation", "subscription"];

/** The operations of a document in order, as `{kind, name}`; the name of an anonymous one is null. */
export function operationsOf(text) {
  const found = [];
  let depth = 0;
  let head = []; // the words of a definition before its first bracket
  let taken = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('"') || token.startsWith("#")) continue;
    if (token === "{" || token === "(") {
      if (depth === 0 && !taken) {
        taken = true;
        if (head.length === 0) found.push({ kind: "query", name: null });
        else if (KINDS.includes(head[0])) found.push({ kind: head[0], name: head[1] ?? null });
      }
      depth += 1;
    } else if (token === "}" || token === ")") {
      depth -= 1;
      if (depth === 0 && token === "}") {
        head = [];
        taken = false;
      }
    } else if (depth === 0) head.push(token);
  }
  return found;
}

/** The operation that a request runs, or undefined. The only one of a document runs whatever name is given. */
export function chosen(text, name) {
  const found = operationsOf(text);
  return found.length === 1 ? found[0] : found.find((operation) => operation.name === name);
}
