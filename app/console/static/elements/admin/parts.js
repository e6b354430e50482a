// The parts of the administration, in the order in which they are shown.

import { CHANNEL_AGENTS } from "./channels.js";
import { CONNECTIONS } from "./connections.js";
import { DESTINATIONS } from "./destinations.js";
import { OWN_KEYS } from "./keys.js";
import { OUTBOX } from "./outbox.js";
import { POLICIES } from "./policies.js";
import { SETTINGS } from "./settings.js";
import { TEAMS } from "./teams.js";
import { TOPICS } from "./topics.js";
import { USERS } from "./users.js";

const PARTS = [USERS, OWN_KEYS, TEAMS, TOPICS, CHANNEL_AGENTS, CONNECTIONS, OUTBOX, DESTINATIONS, POLICIES, SETTINGS];

/** The parts that a viewer may see, none where there is nothing to administer. */
export const partsOf = (viewer) => PARTS.filter((part) => part.isFor(viewer));
