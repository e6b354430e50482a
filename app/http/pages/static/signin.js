// Signs in at an identity provider by Authorization Code with PKCE. Tokens are kept in memory alone.

import { endpoint } from "./client.js";

const KEPT = "switchboard.signing-in";
const EARLY = 30_000; // milliseconds before its end at which a token is refreshed
const PATIENCE = 10_000;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const redirectUri = () => new URL(endpoint.pathname, endpoint).href;

/** One person's session at one of the providers that the page names, or none. */
export class SignIn {
  #providers;
  #provider = null;
  #metadata = null;
  #tokens = null; // { value, refresh, until }
  #refreshing = null;

  constructor(providers) {
    this.#providers = providers;
  }

  get providers() {
    return this.#providers;
  }

  get isSignedIn() {
    return this.#tokens !== null;
  }

  /** Leaves for the provider; the browser comes back to this page. */
  async begin(provider) {
    if (!crypto.subtle) throw new Error("Signing in needs https, or a page of this machine.");
    const metadata = await metadataOf(provider);
    const [state, verifier] = [random(), random()];
    const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
    sessionStorage.setItem(KEPT, JSON.stringify({ state, verifier, issuer: provider.issuer }));
    const address = new URL(metadata.authorization_endpoint);
    const parameters = {
      ...provider.parameters,
      response_type: "code",
      client_id: provider.clientId,
      redirect_uri: redirectUri(),
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
    history.replaceState({}, "", endpoint.pathname + location.hash);
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
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
      redirect_uri: redirectUri(),
      code_verifier: kept.verifier,
    });
  }

  /** The headers of a request: with a token that lasts, or none when nobody is signed in. Throws an Error. */
  async headers() {
    if (!this.#tokens) return {};
    if (Date.now() > this.#tokens.until - EARLY) {
      this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
      await this.#refreshing;
    }
    return { Authorization: `Bearer ${this.#tokens.value}` };
  }

  signOut() {
    this.#tokens = null;
  }

  async #refresh() {
    const { refresh, until } = this.#tokens;
    try {
      if (!refresh) throw new Error("the provider gives no refresh token");
      await this.#exchange({ grant_type: "refresh_token", refresh_token: refresh });
    } catch (error) {
      // It may be a moment's trouble of the network, while the token still lasts.
      if (Date.now() < until) return;
      this.signOut();
      throw new Error(`Sign in again: ${error.message}.`);
    }
  }

  async #exchange(form) {
    const found = await fetched(this.#metadata.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ ...form, client_id: this.#provider.clientId }),
    });
    // Some providers' access tokens are no JSON Web Tokens, which the server could not read.
    const value = [found.access_token, found.id_token].find((token) => token?.split(".").length === 3);
    if (!value) throw new Error("The provider gave no token that can be used");
    const lasts = Number(found.expires_in) > 0 ? Number(found.expires_in) : 300;
    this.#tokens = {
      value,
      refresh: found.refresh_token ?? this.#tokens?.refresh,
      until: Date.now() + lasts * 1000,
    };
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
              signIn.signOut();
              draw();
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
  if (!response.ok) throw new Error(found.error_description ?? found.error ?? `The provider answered ${response.status}`);
  return found;
}
