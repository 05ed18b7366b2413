// "Log In with Telegram" of the local Telegram, as npm's certified OpenID Connect client sees it.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as oidc from "openid-client";
import { Issuer, generators } from "openid-client-5";

import { telegram } from "../processes.js";
import { Visitor } from "../visitor.js";

const REDIRECT = "http://localhost:8080/callback";
const BOT = "BrowserTestBot";
const CODE_LIFE = 60;

/** A local Telegram with one client: its id and secret. */
async function registered(t, settings = {}) {
    const server = await telegram(t);
    await server.control("POST", "/bots", { username: BOT, name: "A bot of a test" });
    const put = (more) =>
        server.control("PUT", `/bots/${BOT}`, { oidc: { urls: [REDIRECT], nonce: "always", ...settings, ...more } });
    const { client_secret: secret } = await put();
    const { user_id: id } = await server.control("GET", `/bots/${BOT}`);
    return { server, put, id: String(id), secret };
}

/** Goes to an authorization URL as a browser does, while the person answers: where the browser is sent. */
async function authorized(server, url, answer = { user: server.accounts[0].user_id }) {
    const visitor = new Visitor();
    const { html } = await visitor.follow(url);
    const { logins } = await server.control("GET", "/logins");
    const login = logins.at(-1);
    if (answer === null) {
        await server.control("POST", `/logins/${login.id}/decline`);
    } else {
        const shown = login.match_codes?.find((code) => html.includes(code));
        await server.control("POST", `/logins/${login.id}/approve`, { ...(shown && { match_code: shown }), ...answer });
    }
    const handle = html.match(/request=([\w-]+)/)[1];
    const { to } = await visitor.follow(`${server.web}/auth/push?request=${handle}`, (url) => url.host === "localhost:8080");
    return to;
}

/** A login from its beginning to the tokens, by openid-client. */
async function login({ server, id, secret }, alg, { auth = oidc.ClientSecretBasic(secret), scope = "openid profile", answer, change = {} } = {}) {
    const config = await oidc.discovery(new URL(server.web), id, { id_token_signed_response_alg: alg }, auth, {
        execute: [oidc.allowInsecureRequests],
    });
    const verifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT,
        scope,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
    });
    const back = await authorized(server, url, answer);
    const redeem = () =>
        oidc.authorizationCodeGrant(config, back, {
            pkceCodeVerifier: verifier,
            expectedState: state,
            expectedNonce: nonce,
            idTokenExpected: true,
            ...change,
        });
    return { back, config, redeem };
}

for (const alg of ["RS256", "ES256", "EdDSA"]) {
    for (const [way, auth] of Object.entries({ basic: oidc.ClientSecretBasic, post: oidc.ClientSecretPost })) {
        test(`openid-client logs somebody in by ${alg}, with its secret by ${way}`, async (t) => {
            const client = await registered(t, { alg });
            const { redeem } = await login(client, alg, { auth: auth(client.secret) });
            const tokens = await redeem();
            const account = client.server.accounts[0];
            const claims = tokens.claims();
            assert.equal(claims.aud, client.id);
            assert.equal(claims.id, account.user_id);
            assert.notEqual(claims.sub, String(account.user_id));
            assert.equal(claims.exp - claims.iat, 3600);
            assert.equal(claims.phone_number, undefined);
            assert.equal(tokens.expires_in, 3600);
        });
    }
}

test("openid-client 5, which knows ES256K, logs somebody in by it", async (t) => {
    const { server, id, secret } = await registered(t, { alg: "ES256K" });
    const issuer = await Issuer.discover(server.web);
    const client = new issuer.Client({
        client_id: id,
        client_secret: secret,
        redirect_uris: [REDIRECT],
        response_types: ["code"],
        id_token_signed_response_alg: "ES256K",
    });
    const verifier = generators.codeVerifier();
    const [state, nonce] = [generators.state(), generators.nonce()];
    const url = client.authorizationUrl({
        scope: "openid profile",
        state,
        nonce,
        code_challenge: generators.codeChallenge(verifier),
        code_challenge_method: "S256",
    });
    const back = await authorized(server, url);
    const tokens = await client.callback(REDIRECT, client.callbackParams(back.href), { state, nonce, code_verifier: verifier });
    assert.equal(tokens.claims().id, server.accounts[0].user_id);
});

test("A phone number comes only if it was asked for and given", async (t) => {
    const client = await registered(t);
    const user = client.server.accounts[0].user_id;
    const phone = async (scope, answer) => {
        const { redeem } = await login(client, "RS256", { scope, answer: { user, ...answer } });
        return (await redeem()).claims().phone_number;
    };
    const number = client.server.accounts[0].phone.replace(/\D/g, "");
    assert.equal((await phone("openid phone", { phone: true })).replace(/\D/g, ""), number);
    assert.equal(await phone("openid phone", {}), undefined);
    assert.equal(await phone("openid profile", { phone: true }), undefined);
});

test("What goes wrong comes as openid-client's own errors", async (t) => {
    const client = await registered(t);
    const refused = async (attempt, error, status) => {
        await assert.rejects(attempt, (thrown) => {
            assert.equal(thrown.error, error, thrown.stack);
            assert.equal(thrown.status, status);
            return true;
        });
    };
    await t.test("a person who declines", async () => {
        const { redeem } = await login(client, "RS256", { answer: null });
        await assert.rejects(redeem(), (thrown) => {
            assert.equal(thrown.error, "access_denied");
            return true;
        });
    });
    await t.test("a wrong secret, and none", async () => {
        // RFC 6749, 5.2: 401, and which scheme would do.
        for (const auth of [oidc.ClientSecretBasic(`${client.secret}x`), oidc.ClientSecretPost(`${client.secret}x`), oidc.None()]) {
            const { redeem } = await login(client, "RS256", { auth });
            await assert.rejects(redeem(), (thrown) => {
                assert.equal(thrown.code, "OAUTH_WWW_AUTHENTICATE_CHALLENGE", thrown.stack);
                assert.equal(thrown.status, 401);
                assert.equal(thrown.cause[0].scheme, "basic");
                return true;
            });
        }
    });
    await t.test("another verifier", async () => {
        const { redeem } = await login(client, "RS256", { change: { pkceCodeVerifier: oidc.randomPKCECodeVerifier() } });
        await refused(redeem(), "invalid_grant", 400);
    });
    await t.test("no verifier", async () => {
        const { redeem } = await login(client, "RS256", { change: { pkceCodeVerifier: undefined } });
        await refused(redeem(), "invalid_grant", 400);
    });
    await t.test("a code that was used", async () => {
        const { redeem } = await login(client, "RS256");
        await redeem();
        await refused(redeem(), "invalid_grant", 400);
    });
    await t.test("a code that is older than a minute", async () => {
        const { redeem } = await login(client, "RS256");
        await client.server.passTime(CODE_LIFE + 1);
        await refused(redeem(), "invalid_grant", 400);
    });
    await t.test("another redirect URI", async () => {
        const { back, redeem } = await login(client, "RS256");
        back.pathname = "/elsewhere";
        await refused(redeem(), "invalid_grant", 400);
    });
    await t.test("a grant that is none", async () => {
        const { config } = await login(client, "RS256");
        await refused(oidc.clientCredentialsGrant(config), "unsupported_grant_type", 400);
        await refused(oidc.refreshTokenGrant(config, "token"), "unsupported_grant_type", 400);
    });
    await t.test("a state that is not the one that was sent", async () => {
        const { redeem } = await login(client, "RS256", { change: { expectedState: oidc.randomState() } });
        await assert.rejects(redeem(), { code: "OAUTH_INVALID_RESPONSE" });
    });
    await t.test("the code of another client", async (t) => {
        const { back } = await login(client, "RS256");
        await client.server.control("POST", "/bots", { username: "OtherTestBot", name: "Another" });
        const { client_secret: secret } = await client.server.control("PUT", "/bots/OtherTestBot", {
            oidc: { urls: [REDIRECT] },
        });
        const { user_id: id } = await client.server.control("GET", "/bots/OtherTestBot");
        const config = await oidc.discovery(new URL(client.server.web), String(id), {}, oidc.ClientSecretBasic(secret), {
            execute: [oidc.allowInsecureRequests],
        });
        const grant = oidc.authorizationCodeGrant(config, back, {
            pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
            expectedState: back.searchParams.get("state"),
        });
        await refused(grant, "invalid_grant", 400);
    });
});

test("A token that is signed by an algorithm other than the registered one is refused by openid-client", async (t) => {
    const client = await registered(t, { alg: "ES256" });
    const { redeem } = await login(client, "RS256");
    await assert.rejects(redeem(), (thrown) => {
        assert.match(`${thrown.cause?.message}`, /alg/i);
        return true;
    });
});

test("What the provider says of itself is what it does", async (t) => {
    const { server } = await registered(t);
    const config = await oidc.discovery(new URL(server.web), "1", {}, oidc.None(), { execute: [oidc.allowInsecureRequests] });
    const metadata = config.serverMetadata();
    assert.ok(metadata.supportsPKCE());
    assert.equal(metadata.issuer, server.web);
    assert.deepEqual(metadata.response_types_supported, ["code"]);
    assert.deepEqual(metadata.grant_types_supported, ["authorization_code"]);
    assert.deepEqual([...metadata.id_token_signing_alg_values_supported].sort(), ["ES256", "ES256K", "EdDSA", "RS256"]);
    for (const absent of ["userinfo_endpoint", "revocation_endpoint", "introspection_endpoint", "registration_endpoint"]) {
        assert.equal(metadata[absent], undefined);
    }
});
