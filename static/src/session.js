/**
 * Somebody's sign-in with an OpenID Connect issuer: authorization code with PKCE
 * (RFC 6749, 7636 and 9700). Tokens are kept here alone, in memory: they end with the page.
 */

import {
  None, allowInsecureRequests, authorizationCodeGrantRequest, calculatePKCECodeChallenge, clockTolerance, generateRandomCodeVerifier,
  generateRandomNonce, generateRandomState, getValidatedIdTokenClaims, processAuthorizationCodeResponse,
  processRefreshTokenResponse, refreshTokenGrantRequest, validateAuthResponse,
} from "oauth4webapi";
import { NoRefreshToken } from "./renewal.js";

/**
 * What deployment writes into the page. `sign_out` is where to go to sign out, or empty.
 * @typedef {{issuer: string, client_id: string, authorization_endpoint: string, token_endpoint: string,
 *            scope: string, sign_out: string}} Settings
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store
 */

const PENDING = "mailpulse-sign-in";

/** Renewed when so much of a token's life is over. */
const RENEW_AT = 0.8;
const ANSWERS_WITHIN = 10_000;
const CLOCKS_DIFFER_BY = 300; // seconds, between the issuer and this machine

/** How issuers sign, as far as the functions take it too. @type {any} */
const SIGNED_BY = { id_token_signing_alg_values_supported: ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"] };

export class Session {
  #settings;
  #redirect;
  #store;
  #options;
  /** The ID token, which proves who looks. */
  token = "";
  /** When it should be renewed, in milliseconds since 1970, by this machine's clock. */
  renewAt = Infinity;
  /** @type {string | undefined} */
  #refresh;

  /**
   * @param {Settings} settings
   * @param {string} redirect this page's own address, where the issuer sends people back to
   * @param {Store} store outlives the way to the issuer and back
   */
  constructor(settings, redirect, store) {
    this.#settings = { ...SIGNED_BY, ...settings };
    this.#redirect = redirect;
    this.#store = store;
    // On this machine alone: deployment takes no other issuer without https.
    this.#options = {
      [allowInsecureRequests]: settings.issuer.startsWith("http://"),
      signal: () => AbortSignal.timeout(ANSWERS_WITHIN),
    };
  }

  get #client() {
    return { client_id: this.#settings.client_id, [clockTolerance]: CLOCKS_DIFFER_BY };
  }

  /**
   * @param {string} hash where the reader is going
   * @returns {Promise<string>} the address to sign in at
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
   * Come back from the issuer.
   * @param {URL} address with what the issuer says
   * @returns {Promise<string>} the hash that the reader was going to
   * @throws {Error} the issuer refused, or its answer is to none of our questions
   */
  async complete(address) {
    const kept = this.#store.getItem(PENDING);
    this.#store.removeItem(PENDING); // an answer is taken once
    const { state, nonce, verifier, hash } = JSON.parse(kept ?? "{}");
    const answer = validateAuthResponse(this.#settings, this.#client, address, state ?? "none was asked for");
    const response = await authorizationCodeGrantRequest(
      this.#settings, this.#client, None(), answer, this.#redirect, verifier, this.#options,
    );
    this.#take(await processAuthorizationCodeResponse(
      this.#settings, this.#client, response, { expectedNonce: nonce, requireIdToken: true },
    ));
    return hash;
  }

  /**
   * Get a token that ends later.
   * @throws {NoRefreshToken} one has to sign in again
   * @throws {Error} what the issuer answers, or that it does not
   */
  async renew() {
    if (!this.#refresh) throw new NoRefreshToken("the issuer gives no refresh token");
    const response = await refreshTokenGrantRequest(this.#settings, this.#client, None(), this.#refresh, this.#options);
    this.#take(await processRefreshTokenResponse(this.#settings, this.#client, response));
  }

  /** Nobody is signed in any more, as far as this page goes. */
  forget() {
    this.token = "";
    this.#refresh = undefined;
    this.renewAt = Infinity;
  }

  /** @param {import("oauth4webapi").TokenEndpointResponse} tokens */
  #take(tokens) {
    const claims = getValidatedIdTokenClaims(tokens);
    if (!tokens.id_token || !claims) throw new Error("the issuer gives no ID token");
    this.token = tokens.id_token;
    this.renewAt = Date.now() + (claims.exp - claims.iat) * 1000 * RENEW_AT;
    this.#refresh = tokens.refresh_token ?? this.#refresh; // a rotated one takes the place of the old
  }
}
