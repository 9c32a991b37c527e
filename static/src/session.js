/**
 * Sign-in with an OpenID Connect issuer: authorization code with PKCE (RFC 6749, 7636, and 9700).
 * Tokens are kept in memory only, and are gone when the page is closed.
 */

import {
  None, allowInsecureRequests, authorizationCodeGrantRequest, calculatePKCECodeChallenge, clockTolerance, generateRandomCodeVerifier,
  generateRandomNonce, generateRandomState, getValidatedIdTokenClaims, processAuthorizationCodeResponse,
  processRefreshTokenResponse, refreshTokenGrantRequest, validateAuthResponse,
} from "oauth4webapi";
import { NoRefreshToken } from "./renewal.js";

/**
 * The settings that `deploy` writes into the page. `sign_out` is the URL for signing out, or empty.
 * @typedef {{issuer: string, client_id: string, authorization_endpoint: string, token_endpoint: string,
 *            scope: string, sign_out: string}} Settings
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 */

const PENDING = "mailpulse-sign-in";

/** A token is renewed after this fraction of its lifetime. */
const RENEW_AT = 0.8;
const ANSWERS_WITHIN = 10_000;
const CLOCKS_DIFFER_BY = 300; // seconds, between the issuer and this computer

/** The signature algorithms that the functions accept as well. @type {any} */
const SIGNED_BY = { id_token_signing_alg_values_supported: ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"] };

export class Session {
  #settings;
  #redirect;
  #store;
  #options;
  /** The ID token, which identifies the viewer. */
  token = "";
  /** When the token is renewed, in milliseconds since 1970, by this computer's clock. */
  renewAt = Infinity;
  /** @type {string | undefined} */
  #refresh;

  /**
   * @param {Settings} settings
   * @param {string} redirect this page's URL, to which the issuer redirects
   * @param {Store} store survives the redirect to the issuer and back
   */
  constructor(settings, redirect, store) {
    this.#settings = { ...SIGNED_BY, ...settings };
    this.#redirect = redirect;
    this.#store = store;
    // Local issuers only: `deploy` accepts no other issuer without https.
    this.#options = {
      [allowInsecureRequests]: settings.issuer.startsWith("http://"),
      signal: () => AbortSignal.timeout(ANSWERS_WITHIN),
    };
  }

  get #client() {
    return { client_id: this.#settings.client_id, [clockTolerance]: CLOCKS_DIFFER_BY };
  }

  /**
   * @param {string} hash of the view that was requested
   * @returns {Promise<string>} the URL to sign in at
   */
  async begin(hash) {
    const pending = { state: generateRandomState(), nonce: generateRandomNonce(), verifier: generateRandomCodeVerifier() };
    this.#store.setItem(PENDING, JSON.stringify({ ...pending, hash }));
    const { authorization_endpoint, client_id, scope } = this.#settings;
    const address = new URL(authorization_endpoint);
    const parameters = {
      client_id, scope, response_type: "code", redirect_uri: this.#redirect,
      state: pending.state, nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.verifier), code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  }

  /**
   * Complete the sign-in after the redirect from the issuer.
   * @param {URL} address with the issuer's response
   * @returns {Promise<string>} the hash of the view that was requested
   * @throws {Error} the issuer denied access, or its response does not match a pending sign-in
   */
  async complete(address) {
    const kept = this.#store.getItem(PENDING);
    this.#store.removeItem(PENDING); // a response is valid only once
    const { state, nonce, verifier, hash } = JSON.parse(kept ?? "{}");
    const answer = validateAuthResponse(this.#settings, this.#client, address, state ?? "no sign-in is pending");
    const response = await authorizationCodeGrantRequest(
      this.#settings, this.#client, None(), answer, this.#redirect, verifier, this.#options,
    );
    this.#take(await processAuthorizationCodeResponse(
      this.#settings, this.#client, response, { expectedNonce: nonce, requireIdToken: true },
    ));
    return hash;
  }

  /**
   * Get a new token.
   * @throws {NoRefreshToken} the user has to sign in again
   * @throws {Error} the issuer returned an error or did not respond
   */
  async renew() {
    if (!this.#refresh) throw new NoRefreshToken("the issuer returned no refresh token");
    const response = await refreshTokenGrantRequest(this.#settings, this.#client, None(), this.#refresh, this.#options);
    this.#take(await processRefreshTokenResponse(this.#settings, this.#client, response));
  }

  /** Sign out of this page. */
  forget() {
    this.token = "";
    this.#refresh = undefined;
    this.renewAt = Infinity;
  }

  /** @param {import("oauth4webapi").TokenEndpointResponse} tokens */
  #take(tokens) {
    const claims = getValidatedIdTokenClaims(tokens);
    if (!tokens.id_token || !claims) throw new Error("the issuer returned no ID token");
    this.token = tokens.id_token;
    this.renewAt = Date.now() + (claims.exp - claims.iat) * 1000 * RENEW_AT;
    this.#refresh = tokens.refresh_token ?? this.#refresh; // a rotated token replaces the old one
  }
}
