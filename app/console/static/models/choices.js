// The labels that interactions have, to choose from.

import { LABELS } from "../graph/documents.js";

/** The names of the labels, the most used first; none where they cannot be read. */
export async function knownLabels(graph) {
  const found = await graph.query(LABELS).catch(() => null); // a list to choose from is a convenience
  return found?.interactionCounts?.groupings[0].groups.map(({ value }) => value) ?? [];
}
