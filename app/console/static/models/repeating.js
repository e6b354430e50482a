// What makes a command safe to send again.

/** A text that nobody else has. */
export const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // randomUUID is absent without https

/** The function that gives an input its idempotency key: the same one for as long as the input is the same. */
export function repeatable() {
  let kept = null;
  let idempotencyKey;
  return (input) => {
    const text = JSON.stringify(input);
    if (text !== kept) [kept, idempotencyKey] = [text, newKey()];
    return { ...input, idempotencyKey };
  };
}
