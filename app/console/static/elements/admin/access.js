// What lets a user in: open sessions, which can be ended, identities, and where permissions come from.

import { END_SESSIONS, GRANTS_OF_USER, IDENTITIES_OF_USER, SESSIONS_OF_USER } from "../../graph/access.js";
import { say, sayValue } from "../../view/language.js";
import { exact } from "../../view/times.js";
import { asking } from "./actions.js";
import { sayWholePermission } from "./permissions.js";

const ofUser = ({ id }) => ({ id });
const end = asking("endSessions", { document: END_SESSIONS, of: ({ id }) => ({ userId: id }) });

/** The sockets and streams that a user has open. The button above them is about the user. */
export const SESSIONS = {
  name: "sessions",
  list: { document: SESSIONS_OF_USER, of: ({ user }) => user?.openSessions, variables: ofUser },
  title: ({ client, transport }) => client ?? sayValue("transport", transport),
  facts: ({ client, transport, credential, apiKey, address, beganAt }) => [
    [client && sayValue("transport", transport), apiKey ? say("byKey", { name: apiKey.name }) : sayValue("credential", credential), address].filter(Boolean).join(" · "),
    say("beganAt", { time: exact(beganAt) }),
  ],
  create: { ...end, run: (user, tools) => end.run(user, { ...tools, titleOf: ({ name }) => name }) },
};

/** The people at identity providers who sign in as a user. */
export const IDENTITIES = {
  name: "identities",
  list: { document: IDENTITIES_OF_USER, of: ({ user }) => user?.identities, variables: ofUser },
  title: ({ subject }) => subject,
  facts: ({ issuer, groups, createdAt, signedInAt, tokenEndsAt }) => [
    issuer,
    groups.length && say("groupsAre", { names: groups.join(", ") }),
    [say("linkedAt", { time: exact(createdAt) }), signedInAt && say("signedInAt", { time: exact(signedInAt) })].filter(Boolean).join(" · "),
    tokenEndsAt && say("tokenEndsAt", { time: exact(tokenEndsAt) }),
  ],
};

// Grants have no ids: each is known by what it is.
const keyed = (grant) => ({ ...grant, id: [grant.source, grant.permission, grant.identity?.id, grant.group].join(" ") });
const NO_MORE = { hasNextPage: false, endCursor: null };

/** The permissions of a user, by where each comes from. */
export const GRANTS = {
  name: "grants",
  list: { document: GRANTS_OF_USER, of: ({ user }) => user && { nodes: (user.grants ?? []).map(keyed), pageInfo: NO_MORE }, variables: ofUser },
  title: ({ permission }) => (permission ? sayWholePermission(permission) : say("permissionsEvery")),
  badges: ({ source }) => [{ text: sayValue("grantSource", source), tone: source === "ROLE" ? "strong" : undefined }],
  facts: ({ since, endsAt, group, identity }) => [
    group && say("byGroup", { group, subject: identity?.subject ?? "", issuer: identity?.issuer ?? "" }),
    [since && say("grantedSince", { time: exact(since) }), endsAt && say("endsAt", { time: exact(endsAt) })].filter(Boolean).join(" · "),
  ],
};
