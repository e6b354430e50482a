// What interactions have, to choose from.

import { LABELS, TEAM_NAMES } from "../graph/documents.js";

/** The names of the labels, the most used first; none where they cannot be read. */
export async function knownLabels(graph) {
  const found = await graph.query(LABELS).catch(() => null); // a list to choose from is a convenience
  return found?.interactionCounts?.groupings[0].groups.map(({ value }) => value) ?? [];
}

/** The teams, each with its `id` and `name`; none where they cannot be read. */
export async function knownTeams(graph) {
  const found = await graph.query(TEAM_NAMES).catch(() => null);
  return found?.teams?.nodes ?? [];
}
