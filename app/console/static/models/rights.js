// What the viewer may administer, by its permissions.

const KINDS = ["SESSION", "AGENT_SESSION", "CHAT_SESSION", "CONVERSATION"];
const OF_KIND = ["READ", "READ_TEAM", "READ_OWN", "CLAIM", "WRITE", "WRITE_TEAM", "WRITE_OWN"];

/** Every permission in groups, as people are shown them: those of each kind, and the others. */
export const PERMISSIONS = [
  ...KINDS.map((kind) => ({ kind, names: OF_KIND.map((verb) => `${kind}_${verb}`) })),
  {
    kind: null,
    names: [
      "DIRECTORY_READ",
      "DIRECTORY_WRITE",
      "REPORTS_READ",
      "USERS_MANAGE",
      "TEAMS_MANAGE",
      "CONNECTIONS_MANAGE",
      "DESTINATIONS_MANAGE",
      "SETTINGS_READ",
    ],
  },
];

/** Whether the viewer has a permission. */
export const may = ({ permissions }, name) => permissions.includes(name);

/** Whether the viewer may grant a permission: it has it, or the wider form of it. */
export const mayGrant = (viewer, name) => may(viewer, name) || may(viewer, name.replace(/_(READ|WRITE)_(TEAM|OWN)$/, "_$1"));

/** Whether the viewer sees some interactions of a kind, and so what belongs to the kind. */
export const sees = (viewer, kind) => ["READ", "READ_TEAM", "READ_OWN"].some((verb) => may(viewer, `${kind}_${verb}`));

/** Whether the viewer may change some interactions that it sees. */
export const writes = (viewer) =>
  KINDS.some((kind) => sees(viewer, kind) && ["WRITE", "WRITE_TEAM", "WRITE_OWN"].some((verb) => may(viewer, `${kind}_${verb}`)));

/** Whether the viewer has every permission, as an admin has. */
export const mayAll = (viewer) => PERMISSIONS.every(({ names }) => names.every((name) => may(viewer, name)));

/** Whether the viewer may make keys of its own: its key is not narrowed, or manages users. */
export const mayMakeKeys = (viewer) => may(viewer, "USERS_MANAGE") || !viewer.apiKey?.permissions;
