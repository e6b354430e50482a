// The operations about a user's access: sessions, grants and identities. As in documents.js, each is a template.

const PAGE = `pageInfo { hasNextPage endCursor }`;

export const SESSIONS_OF_USER = `query SessionsOfUser($id: ID!, $after: String) {
  user(id: $id) {
    openSessions(first: 50, after: $after) { nodes { id beganAt transport credential address client apiKey { id name } } ${PAGE} }
  }
}`;

export const GRANTS_OF_USER = `query GrantsOfUser($id: ID!) {
  user(id: $id) { grants { permission source since endsAt group identity { id issuer subject } } }
}`;

export const IDENTITIES_OF_USER = `query IdentitiesOfUser($id: ID!, $after: String) {
  user(id: $id) {
    identities(first: 50, after: $after) { nodes { id issuer subject groups firstSignedInAt signedInAt tokenEndsAt createdAt } ${PAGE} }
  }
}`;

export const END_SESSIONS = `mutation EndSessions($input: EndSessionsInput!) {
  endSessions(input: $input) { user { id } errors { code message path } }
}`;
