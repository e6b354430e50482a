// Who works here, by the key of this tab or at an identity provider; neither is in an address or in lasting storage.

import { keyOfAddress } from "../../pages/client.js";
import { SignIn } from "../../pages/signin.js";
import { VIEWER } from "../graph/documents.js";
import { Graph, Refused, viewerOf } from "../graph/graph.js";
import { wait } from "../graph/socket.js";
import { Edition } from "./edition.js";

const KEPT = "switchboard.key";
const KEPT_ISSUER = "switchboard.issuer"; // where this tab has signed in: a reload goes there again by itself

/** The key that the address brings, taken out of it at once, or the one that this tab has; null for none. */
export function keyAtHand() {
  const brought = keyOfAddress();
  if (brought === null) return sessionStorage.getItem(KEPT);
  history.replaceState(null, "", location.pathname + location.search);
  return brought;
}

/** Comes in by a key, which is kept for as long as the tab is open. */
export class ByKey {
  refused = "keyRefused";
  ended = "refused.UNAUTHENTICATED";
  #key;

  constructor(key) {
    this.#key = key;
  }

  headers = async () => ({ authorization: `Bearer ${this.#key}` });

  keep() {
    sessionStorage.setItem(KEPT, this.#key);
  }

  forget() {
    sessionStorage.removeItem(KEPT);
    return null;
  }
}

/** Comes in as who has signed in at an identity provider. Tokens are in the memory of the page alone. */
class ByProvider {
  refused = "personRefused";
  ended = "signInEnded";
  #signIn;

  constructor(signIn) {
    this.#signIn = signIn;
  }

  headers = () => this.#signIn.headers();

  keep() {
    sessionStorage.setItem(KEPT_ISSUER, this.#signIn.provider.issuer);
  }

  forget() {
    sessionStorage.removeItem(KEPT_ISSUER);
    return this.#signIn.signOut();
  }
}

/** The identity providers of the page, and who comes from them. */
export class Providers {
  #signIn = new SignIn(JSON.parse(document.getElementById("providers").textContent), "/");

  get all() {
    return this.#signIn.providers;
  }

  /** Leaves for a provider; it comes back to where the page is now. Throws an Error. */
  leaveFor(provider) {
    return this.#signIn.begin(provider, location.pathname + location.hash);
  }

  /** Who comes back from a provider, or null. Leaves for the provider at which this tab had signed in. Throws an Error. */
  async arrived() {
    const issuer = sessionStorage.getItem(KEPT_ISSUER);
    sessionStorage.removeItem(KEPT_ISSUER); // one try: what fails shows the form
    await this.#signIn.finish();
    if (this.#signIn.isSignedIn) return new ByProvider(this.#signIn);
    const provider = this.all.find((each) => each.issuer === issuer);
    if (provider) await this.leaveFor(provider);
    return null;
  }
}

/** One person at work: `viewer`, their `graph`, the `credential` by which they came in, and the `edition` of their page. */
export class Session {
  constructor(viewer, graph, credential) {
    this.viewer = viewer;
    this.graph = graph;
    this.credential = credential;
    this.edition = new Edition(graph.connection);
  }

  /** Signs in. Throws Refused; while the server cannot be reached it tries again when `isPatient`. */
  static async begin(credential, isPatient) {
    for (let tries = 0; ; tries++) {
      try {
        const viewer = await viewerOf(credential.headers, VIEWER);
        if (!viewer) throw new Refused("UNAUTHENTICATED", "");
        credential.keep();
        return new Session(viewer, new Graph(credential.headers), credential);
      } catch (error) {
        if (error.code === "UNREACHABLE" && isPatient) await new Promise((again) => setTimeout(again, wait(tries)));
        else {
          if (error.code === "UNAUTHENTICATED") credential.forget();
          throw error;
        }
      }
    }
  }

  /** Ends it here. Gives the address that ends it at the identity provider too, or null. */
  end() {
    const away = this.credential.forget();
    sessionStorage.clear(); // nothing that one person saw is left for the next
    this.graph.close();
    return away;
  }
}
