// Users: who they are, what they may do, their keys, and what lets them in.

import { CHOICES, COMMANDS, LISTS } from "../../graph/administration.js";
import { may, mayAll } from "../../models/rights.js";
import { checkField, textField } from "../../view/fields.js";
import { say } from "../../view/language.js";
import { GRANTS, IDENTITIES, SESSIONS } from "./access.js";
import { countPermissions, permissionsField } from "./permissions.js";
import { asking, commanding, creating, editing, showing } from "./actions.js";
import { KEYS_OF_USER } from "./keys.js";

const ADMIN = "admin";

const roles = (isAdmin) => checkField("roles", say("administrator"), isAdmin, { hint: say("administratorHint"), on: [ADMIN], off: [] });

function fields({ viewer }, item = null) {
  // What the viewer cannot see it does not change.
  const isHidden = (name) => item?.hiddenFields.includes(name);
  return [
    textField("name", say("name"), item?.name, { isRequired: true }),
    textField("login", say("login"), item?.login, { isRequired: true, hint: say("loginHint"), maxLength: 64 }),
    !isHidden("email") && textField("email", say("email"), item?.email, { type: "email", empty: null, maxLength: 254 }),
    textField("fullName", say("fullName"), item?.fullName, { empty: null }),
    checkField("isService", say("isService"), item?.isService ?? false, { hint: say("isServiceHint") }),
    !isHidden("roles") && (mayAll(viewer) || item?.roles.includes(ADMIN)) && roles(item?.roles.includes(ADMIN) ?? false),
    !isHidden("permissions") && permissionsField("permissions", item?.permissions ?? [], viewer, { hint: say("permissionsOfUserHint") }),
  ].filter(Boolean);
}

/** Users to choose from, by what is written. */
export const findUsers = (graph) => async (search) => {
  const { users } = await graph.query(CHOICES.users, { search: search || null });
  return users.nodes.map(({ id, name, login }) => ({ id, name, more: login }));
};

export const USERS = {
  name: "users",
  isFor: (viewer) => may(viewer, "USERS_MANAGE"),
  list: { document: LISTS.users, of: ({ users }) => users },
  isSearched: true,
  title: ({ name }) => name,
  badges: ({ active, isService, roles: held, presence }) => [
    !active && { text: say("inactive"), tone: "bad" },
    held?.includes(ADMIN) && { text: say("administrator"), tone: "strong" },
    isService && { text: say("service") },
    presence.present && { text: say("present"), tone: "good" },
  ],
  facts: ({ login, email, permissions, roles: held, teams }) => [
    [login, email].filter(Boolean).join(" · "),
    held?.includes(ADMIN) ? null : permissions && countPermissions(permissions),
    teams.nodes.length && say("inTeams", { names: teams.nodes.map(({ name }) => name).join(", ") }),
  ],
  create: creating("createUser", { document: COMMANDS.createUser, fields }),
  actions: [
    editing("editUser", { document: COMMANDS.updateUser, fields, isMain: true }),
    showing("showKeys", KEYS_OF_USER, { isMain: true }),
    showing("showSessions", SESSIONS),
    showing("showGrants", GRANTS),
    showing("showIdentities", IDENTITIES),
    commanding("activate", { document: COMMANDS.activateUser, isShown: ({ active }) => !active }),
    asking("deactivate", {
      document: COMMANDS.deactivateUser,
      input: ({ version }) => ({ ifVersion: version }),
      isShown: ({ active, id }, { viewer }) => active && id !== viewer.user.id,
    }),
  ],
};
