// chappe-login's OpenID Connect client, logging in at npm's certified provider.
import assert from "node:assert/strict";
import { test } from "node:test";

import { asking, programs } from "../processes.js";
import { ALGS, PERSON, provider } from "../provider.js";
import { Visitor } from "../visitor.js";

const REDIRECT = "http://127.0.0.1:1/login/openid/callback";
const CLIENT = "7342037359";
const SECRET = "a-secret:of%+many&signs=";

const seconds = () => Math.floor(Date.now() / 1000);

/** One who logs in there, with the steps of a login one by one. */
async function client(t, alg, { secretIn = "header", decide, registered = alg } = {}) {
    const there = await provider(
        t,
        {
            client_id: CLIENT,
            client_secret: SECRET,
            redirect_uris: [REDIRECT],
            id_token_signed_response_alg: registered,
            token_endpoint_auth_method: secretIn === "form" ? "client_secret_post" : "client_secret_basic",
        },
        decide,
    );
    const json = async (path) => (await fetch(`${there.issuer}${path}`)).json();
    const discovery = await json("/.well-known/openid-configuration");
    const ask = asking(t, programs.oidc);
    const say = (kind, more) =>
        ask({
            kind,
            client_id: CLIENT,
            redirect_uri: REDIRECT,
            issuer: there.issuer,
            discovery,
            alg,
            secret: SECRET,
            ...(secretIn === "form" && { secret_in: "form" }),
            now: seconds(),
            ...more,
        });
    return {
        /** From "log in" to where the provider sends the browser. */
        begin: async () => {
            const { ok, message } = await say("begin");
            assert.ok(ok, message);
            const { to } = await new Visitor().follow(ok.url, (url) => url.port === "1");
            return { pending: ok.pending, back: to };
        },
        callback: (pending, query) => say("callback", { pending, data: query }),
        /** Sends the request for tokens: what came back, and what the client makes of it. */
        finish: async (pending, { url, authorization, body }) => {
            const answer = await fetch(url, {
                method: "POST",
                headers: {
                    "content-type": "application/x-www-form-urlencoded",
                    ...(authorization && { authorization }),
                },
                body,
            });
            const jwks = await json(new URL(discovery.jwks_uri).pathname);
            return say("finish", { pending, status: answer.status, data: await answer.text(), jwks });
        },
    };
}

for (const alg of ALGS) {
    for (const secretIn of ["header", "form"]) {
        test(`A login by ${alg}, with the secret in the ${secretIn}`, async (t) => {
            const { begin, callback, finish } = await client(t, alg, { secretIn });
            const { pending, back } = await begin();
            const request = await callback(pending, back.search.slice(1));
            assert.ok(request.ok, request.message);
            const { ok, message } = await finish(pending, request.ok);
            assert.ok(ok, message);
            assert.equal(ok.sub, PERSON.sub);
            assert.equal(ok.id, PERSON.id);
            assert.equal(ok.name, PERSON.name);
            assert.equal(ok.preferred_username, PERSON.preferred_username);
            assert.equal(ok.picture, PERSON.picture);
        });
    }
}

test("A person who declines is an error of its own", async (t) => {
    const { begin, callback } = await client(t, "RS256", {
        decide: () => ({ error: "access_denied", error_description: "<b>no</b>" }),
    });
    const { pending, back } = await begin();
    assert.equal((await callback(pending, back.search.slice(1))).error, "Declined");
});

test("A state that is not the one of this login is refused", async (t) => {
    const { begin, callback } = await client(t, "RS256");
    const [one, other] = [await begin(), await begin()];
    assert.equal((await callback(one.pending, other.back.search.slice(1))).error, "State");
    one.back.searchParams.delete("state");
    assert.equal((await callback(one.pending, one.back.search.slice(1))).error, "Missing");
});

test("Who says that another provider has answered is not believed", async (t) => {
    // RFC 9207: this provider names itself beside the code, against mix-up attacks.
    const { begin, callback } = await client(t, "RS256");
    const { pending, back } = await begin();
    assert.ok(back.searchParams.has("iss"));
    back.searchParams.set("iss", "https://attacker.example");
    assert.equal((await callback(pending, back.search.slice(1))).error, "Issuer");
});

test("A code works once, and its tokens are for the login that it belongs to", async (t) => {
    const { begin, callback, finish } = await client(t, "RS256");
    const [one, other] = [await begin(), await begin()];
    const { ok: request } = await callback(one.pending, one.back.search.slice(1));
    // The provider binds the code to the PKCE challenge of its own login.
    const { ok: foreign } = await callback(other.pending, other.back.search.slice(1));
    const stolen = { ...foreign, body: foreign.body.replace(/code=[^&]*/, request.body.match(/code=[^&]*/)[0]) };
    const refused = await finish(other.pending, stolen);
    assert.equal(refused.ok, undefined, "the code of another login was taken");
    const fresh = await begin();
    const { ok: again } = await callback(fresh.pending, fresh.back.search.slice(1));
    assert.ok((await finish(fresh.pending, again)).ok);
    assert.equal((await finish(fresh.pending, again)).ok, undefined, "a code was taken twice");
});

test("A provider that signs by another algorithm than the registered one is not believed", async (t) => {
    const { begin, callback, finish } = await client(t, "RS256", { registered: "ES256" });
    const { pending, back } = await begin();
    const { ok: request } = await callback(pending, back.search.slice(1));
    const verdict = await finish(pending, request);
    assert.equal(verdict.error, "Algorithm", verdict.message);
});
