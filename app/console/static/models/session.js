// Who works here: the key of this tab, which is in no address and in no lasting storage.

import { keyOfAddress } from "../../pages/client.js";
import { VIEWER } from "../graph/documents.js";
import { Graph, Refused, viewerOf } from "../graph/graph.js";
import { wait } from "../graph/socket.js";

const KEPT = "switchboard.key";

/** The key that the address brings, taken out of it at once, or the one that this tab has; null for none. */
export function keyAtHand() {
  const brought = keyOfAddress();
  if (brought === null) return sessionStorage.getItem(KEPT);
  history.replaceState(null, "", location.pathname + location.search);
  return brought;
}

/** One person at work: `viewer` and their `graph`. */
export class Session {
  constructor(viewer, graph) {
    this.viewer = viewer;
    this.graph = graph;
  }

  /** Signs in. Throws Refused; while the server cannot be reached it tries again when `isPatient`. */
  static async begin(key, isPatient) {
    for (let tries = 0; ; tries++) {
      try {
        const viewer = await viewerOf(key, VIEWER);
        if (!viewer) throw new Refused("UNAUTHENTICATED", "");
        sessionStorage.setItem(KEPT, key);
        return new Session(viewer, new Graph(key));
      } catch (error) {
        if (error.code === "UNREACHABLE" && isPatient) await new Promise((again) => setTimeout(again, wait(tries)));
        else {
          if (error.code === "UNAUTHENTICATED") sessionStorage.removeItem(KEPT);
          throw error;
        }
      }
    }
  }

  end() {
    sessionStorage.removeItem(KEPT);
    this.graph.close();
  }
}
