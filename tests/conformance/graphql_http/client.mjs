import { serverAudits } from "graphql-http";
import { ADMIN_KEY, check, ENDPOINT, finish } from "./harness.mjs";

const fetchFn = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, "x-api-key": ADMIN_KEY } });

for (const audit of serverAudits({ url: ENDPOINT, fetchFn })) {
  await check(audit.name, async () => {
    const found = await audit.fn();
    if (found.status !== "ok") throw new Error(`${audit.id}: ${found.reason}`);
  });
}
finish("graphql-http");
