// Signs in at an identity provider by Authorization Code with PKCE. Tokens are kept in memory alone.

import { endpoint } from "./client.js";

const KEPT = "switchboard.signing-in";
const EARLY = 30_000; // milliseconds before its end at which a token is refreshed
const PATIENCE = 10_000;
const LONGEST_TIMER = 2 ** 31 - 1; // a browser fires a longer one at once

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** The session is over: the person has to sign in again. */
export class SignedOut extends Error {}

/** One person's session at one of the providers that the page names, or none. The browser comes back to `redirectPath`. */
export class SignIn {
  #providers;
  #redirectUri;
  #provider = null;
  #metadata = null;
  #tokens = null; // { value, refresh, id, until }
  #refreshing = null;
  #timer = 0;

  constructor(providers, redirectPath = endpoint.pathname) {
    this.#providers = providers;
    this.#redirectUri = new URL(redirectPath, endpoint).href;
  }

  get providers() {
    return this.#providers;
  }

  get isSignedIn() {
    return this.#tokens !== null;
  }

  /** The provider at which somebody is signed in, or null. */
  get provider() {
    return this.isSignedIn ? this.#provider : null;
  }

  /** Leaves for the provider. `back` is the address within this server that `finish` shows. */
  async begin(provider, back = new URL(this.#redirectUri).pathname) {
    if (!crypto.subtle) throw new Error("Signing in needs https, or a page of this machine.");
    const metadata = await metadataOf(provider);
    const [state, verifier] = [random(), random()];
    const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
    sessionStorage.setItem(KEPT, JSON.stringify({ state, verifier, issuer: provider.issuer, back }));
    const address = new URL(metadata.authorization_endpoint);
    const parameters = {
      ...provider.parameters,
      response_type: "code",
      client_id: provider.clientId,
      redirect_uri: this.#redirectUri,
      scope: provider.scopes,
      state,
      code_challenge: challenge,
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    location.assign(address);
  }

  /** Takes what the provider has sent along, if it has, and removes it from the address. Throws an Error. */
  async finish() {
    const given = new URLSearchParams(location.search);
    if (!given.has("state") || !(given.has("code") || given.has("error"))) return;
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    history.replaceState({}, "", kept?.back ?? location.pathname);
    sessionStorage.removeItem(KEPT);
    const provider = this.#providers.find(({ issuer }) => issuer === kept?.issuer);
    if (!provider || given.get("state") !== kept.state) throw new Error("This answer is to no sign-in of this page.");
    // Of which provider the answer is, where it says so (RFC 9207).
    if (given.has("iss") && given.get("iss") !== provider.issuer) throw new Error("Another provider has answered.");
    if (given.has("error")) throw new Error(given.get("error_description") ?? given.get("error"));
    this.#provider = provider;
    this.#metadata = await metadataOf(provider);
    await this.#exchange({
      grant_type: "authorization_code",
      code: given.get("code"),
      redirect_uri: this.#redirectUri,
      code_verifier: kept.verifier,
    });
  }

  /**
   * The headers of a request: with a token that lasts, or none when nobody is signed in. Throws SignedOut when the
   * session is over, and another Error while the provider cannot be asked.
   */
  async headers() {
    if (!this.#tokens) return {};
    if (Date.now() > this.#tokens.until - EARLY) await this.#refreshed();
    if (!this.#tokens) return {};
    return { Authorization: `Bearer ${this.#tokens.value}` };
  }

  /**
   * Forgets the tokens. Gives the address that ends the person's session at the provider too and leads back here, or null
   * where the provider names none.
   */
  signOut() {
    clearTimeout(this.#timer);
    const address = this.#tokens && safe(this.#metadata.end_session_endpoint);
    if (address) {
      address.searchParams.set("client_id", this.#provider.clientId);
      address.searchParams.set("post_logout_redirect_uri", this.#redirectUri);
      if (this.#tokens.id) address.searchParams.set("id_token_hint", this.#tokens.id);
    }
    this.#tokens = null;
    return address?.href ?? null;
  }

  #refreshed() {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #refresh() {
    const { refresh, until } = this.#tokens;
    try {
      if (!refresh) throw new SignedOut("the provider gives no refresh token");
      await this.#exchange({ grant_type: "refresh_token", refresh_token: refresh });
    } catch (error) {
      // It may be a moment's trouble of the network or the provider, while the token still lasts.
      if (Date.now() < until) return;
      if (!(error instanceof SignedOut)) throw error;
      this.signOut();
      throw new SignedOut(`Sign in again: ${error.message}.`);
    }
  }

  async #exchange(form) {
    const before = this.#tokens;
    const found = await fetched(this.#metadata.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ ...form, client_id: this.#provider.clientId }),
    });
    // Some providers' access tokens are no JSON Web Tokens, which the server could not read.
    const value = [found.access_token, found.id_token].find((token) => token?.split(".").length === 3);
    if (!value) throw new Error("The provider gave no token that can be used");
    if (this.#tokens !== before) return; // somebody has signed out meanwhile
    const lasts = (Number(found.expires_in) > 0 ? Number(found.expires_in) : 300) * 1000;
    const refresh = found.refresh_token ?? before?.refresh;
    this.#tokens = { value, refresh, id: found.id_token ?? before?.id, until: Date.now() + lasts };
    if (refresh) this.#refreshAfter(Math.max(lasts - EARLY, lasts / 2));
  }

  // Without waiting for a request: some providers end a session that asks for nothing for as long as a token lasts.
  #refreshAfter(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refreshed().catch(() => {}), Math.min(pause, LONGEST_TIMER)); // the next request tells
  }
}

/** Draws a button for each provider, and one to sign out; `say` is told what goes wrong. */
export function drawSignIn(place, signIn, say) {
  const button = (text, onclick) => Object.assign(document.createElement("button"), { textContent: text, onclick });
  const draw = () =>
    place.replaceChildren(
      ...(signIn.isSignedIn
        ? [
            button("Sign out", () => {
              const away = signIn.signOut();
              draw();
              if (away) location.assign(away);
            }),
          ]
        : signIn.providers.map((provider) =>
            button(`Sign in at ${new URL(provider.issuer).host}`, () =>
              signIn.begin(provider).catch(({ message }) => say(message)),
            ),
          )),
    );
  draw();
}

// An address of the web, or null for none: a script could be behind any other.
function safe(text) {
  const address = URL.canParse(text) ? new URL(text) : null;
  return ["https:", "http:"].includes(address?.protocol) ? address : null;
}

async function metadataOf({ issuer }) {
  const found = await fetched(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (found.issuer !== issuer) throw new Error("The provider's metadata are those of another issuer.");
  return found;
}

async function fetched(address, options = {}) {
  let response, found;
  try {
    response = await fetch(address, { ...options, signal: AbortSignal.timeout(PATIENCE), redirect: "error" });
    found = await response.json();
  } catch {
    throw new Error(`${new URL(address).host} cannot be asked by this page`);
  }
  if (response.ok) return found;
  const Refusal = response.status < 500 && response.status !== 429 ? SignedOut : Error;
  throw new Refusal(found.error_description ?? found.error ?? `The provider answered ${response.status}`);
}
