// API keys: made, shown once, replaced, ended.

import { COMMANDS, LISTS } from "../../graph/administration.js";
import { repeatable } from "../../models/repeating.js";
import { mayMakeKeys } from "../../models/rights.js";
import { openForm, showSecret } from "../../view/dialog.js";
import { h } from "../../view/dom.js";
import { checkField, momentField, textField } from "../../view/fields.js";
import { say, sayValue } from "../../view/language.js";
import { countPermissions, permissionsField } from "./permissions.js";
import { sayRefusal } from "../../view/saying.js";
import { exact } from "../../view/times.js";
import { asking, creating, finished } from "./actions.js";

const isValid = ({ revokedAt, expiresAt }) => !revokedAt && (!expiresAt || Date.parse(expiresAt) > Date.now());

function fields({ viewer }) {
  return [
    textField("name", say("name"), "", { isRequired: true, hint: say("keyNameHint") }),
    momentField("expiresAt", say("keyEnds"), null, { hint: say("keyEndsHint") }),
    permissionsField("permissions", null, viewer, { isNullable: true, hint: say("permissionsOfKeyHint") }),
  ];
}

function shown({ secret, apiKey }, tools, more = []) {
  // A repeat of what was answered already: the answer with the secret was lost.
  if (!secret) return tools.tell(say("secretLost", { name: apiKey.name }));
  showSecret(tools.place, { title: say("keyMade", { name: apiKey.name }), secret, more });
}

const end = asking("revokeKey", {
  document: COMMANDS.revokeApiKey,
  fields: () => [checkField("includeMade", say("includeMade"), false, { hint: say("includeMadeHint") })],
  isShown: (key) => isValid(key) && !key.isCurrent,
});

/** Makes a key like this one; this one ends when the person says that the new one is in use. */
const rotate = {
  name: "rotateKey",
  isMain: true,
  isShown: isValid,
  async run(key, tools) {
    const once = repeatable();
    openForm(tools.place, {
      title: say("actOn", { what: sayValue("act", "rotateKey"), name: key.name }),
      intro: sayValue("ask", "rotateKey"),
      action: say("create"),
      submit: async () => {
        const { name, permissions, expiresAt, user } = key;
        const payload = await tools.graph.mutate(COMMANDS.createApiKey, once({ name, permissions, expiresAt, userId: user.id }));
        return () => {
          tools.listing.again();
          const former = h("button", { type: "button", class: "danger", onclick: () => endFormer() }, say("endFormer"));
          const dialog = shown(payload, tools, key.isCurrent ? [] : [former]);
          const endFormer = async () => {
            dialog.close();
            try {
              await tools.graph.mutate(COMMANDS.revokeApiKey, { id: key.id });
              await finished(tools, "revokeKey", key);
            } catch (error) {
              tools.tell(sayRefusal(error));
            }
          };
        };
      },
    });
  },
};

const KEYS = {
  title: ({ name }) => name,
  badges: (key) => [
    key.isCurrent && { text: say("thisKey"), tone: "strong" },
    !isValid(key) && { text: say(key.revokedAt ? "revoked" : "expired"), tone: "bad" },
  ],
  facts: ({ prefix, permissions, createdAt, expiresAt, madeBy }) => [
    `${prefix}… · ${countPermissions(permissions)}`,
    [say("madeAt", { time: exact(createdAt) }), madeBy && say("madeByKey", { name: madeBy.name })].filter(Boolean).join(" · "),
    expiresAt && say("endsAt", { time: exact(expiresAt) }),
  ],
  actions: [rotate, end],
};

/** The keys of the viewer itself. */
export const OWN_KEYS = {
  ...KEYS,
  name: "keys",
  isFor: mayMakeKeys,
  list: { document: LISTS.ownKeys, of: ({ viewer }) => viewer.apiKeys },
  create: creating("createKey", { document: COMMANDS.createApiKey, fields, done: shown }),
};

/** The keys of another user. */
export const KEYS_OF_USER = {
  ...KEYS,
  name: "keys",
  list: { document: LISTS.keysOfUser, of: ({ user }) => user?.apiKeys, variables: ({ id }) => ({ id }) },
  create: creating("createKey", {
    document: COMMANDS.createApiKey,
    fields,
    fixed: ({ id }) => ({ userId: id }),
    isShown: ({ active }) => active,
    done: shown,
  }),
};
