// id_tokens: what npm's `jose` signs is good for chappe-login, and what it refuses is refused.
import assert from "node:assert/strict";
import { createPrivateKey, sign as signWith } from "node:crypto";
import { test } from "node:test";

import * as jose from "jose";
import * as jose4 from "jose-4";

import { AWKWARD, damaged, dice } from "../names.js";
import { asking, programs } from "../processes.js";

const ISSUER = "https://oauth.telegram.example";
const CLIENT = "7342037359";
// jose has left ES256K out since its version 5.
const ALGS = { RS256: jose, ES256: jose, EdDSA: jose, ES256K: jose4 };

const seconds = () => Math.floor(Date.now() / 1000);
const keys = {};

async function key(alg) {
    const { publicKey, privateKey } = await ALGS[alg].generateKeyPair(alg, { extractable: true });
    return {
        kid: `kid-${alg}`,
        privateKey,
        publicKey,
        jwk: { ...(await ALGS[alg].exportJWK(publicKey)), kid: `kid-${alg}`, alg, use: "sig" },
    };
}

for (const alg of Object.keys(ALGS)) {
    keys[alg] = await key(alg);
}
const jwks = { keys: Object.values(keys).map(({ jwk }) => jwk) };
const rsaKey = createPrivateKey({ key: await jose.exportJWK(keys.RS256.privateKey), format: "jwk" });

const claims = (more) => ({
    iss: ISSUER,
    aud: CLIENT,
    sub: "opaque-subject-1",
    id: 4_242_424_242,
    iat: seconds(),
    exp: seconds() + 3600,
    name: "Ada",
    preferred_username: "ada_example",
    ...more,
});

/** An id_token of these claims; what is `undefined` is left out. */
async function token(alg, more, { header = {}, key = keys[alg] } = {}) {
    const payload = JSON.parse(JSON.stringify(claims(more)));
    const { SignJWT } = ALGS[alg];
    return new SignJWT(payload).setProtectedHeader({ alg, kid: keys[alg].kid, typ: "JWT", ...header }).sign(key.privateKey);
}

/**
 * chappe-login's client in the middle of a login, whose token endpoint answers with a token: what it
 * says of it. `nonce` is what it has sent.
 */
async function checking(t) {
    const ask = asking(t, programs.oidc);
    const client = {
        client_id: CLIENT,
        secret: "not-used-here",
        redirect_uri: "https://shop.example/callback",
        issuer: ISSUER,
        discovery: {
            issuer: ISSUER,
            authorization_endpoint: `${ISSUER}/auth`,
            token_endpoint: `${ISSUER}/token`,
            jwks_uri: `${ISSUER}/.well-known/jwks.json`,
            response_types_supported: ["code"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: Object.keys(ALGS),
        },
    };
    const begun = await ask({ kind: "begin", ...client, now: seconds() });
    assert.ok(begun.ok, begun.message);
    const { pending, url } = begun.ok;
    const check = (alg, token) =>
        ask({
            kind: "finish",
            ...client,
            alg,
            pending,
            jwks,
            status: 200,
            data: JSON.stringify({ access_token: "none", token_type: "Bearer", expires_in: 3600, id_token: token }),
            now: seconds(),
        });
    return { check, nonce: new URL(url).searchParams.get("nonce") };
}

/** What jose says itself; a token that it takes must have been refused for a reason of OpenID's. */
async function joseTakes(alg, data) {
    const { createLocalJWKSet, jwtVerify } = ALGS[alg];
    const rules = { issuer: ISSUER, audience: CLIENT, algorithms: [alg], clockTolerance: 60, requiredClaims: ["exp", "iat", "sub"] };
    return jwtVerify(data, createLocalJWKSet(jwks), rules).then(
        () => true,
        () => false,
    );
}

for (const alg of Object.keys(ALGS)) {
    test(`A token that jose signs by ${alg} is good, whatever people are called`, async (t) => {
        const { check, nonce } = await checking(t);
        for (const name of AWKWARD) {
            const { ok, error, message } = await check(alg, await token(alg, { name }));
            assert.equal(ok?.name, name, `${error}: ${message}`);
            assert.equal(ok.sub, "opaque-subject-1");
        }
        assert.ok((await check(alg, await token(alg, { nonce }))).ok);
    });
}

const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token of this header, signed by whatever `signature` makes of its text. */
function forged(header, signature, payload = claims()) {
    const text = `${b64(header)}.${b64(payload)}`;
    return `${text}.${signature(text)}`;
}

/** HS256 with a secret that everybody knows. */
async function symmetric(secret, kid) {
    return new jose.SignJWT(claims()).setProtectedHeader({ alg: "HS256", kid }).sign(new TextEncoder().encode(secret));
}

const FORGERIES = {
    "no signature at all": () => new jose.UnsecuredJWT(claims()).encode(),
    "no signature, with the key's name": () => forged({ alg: "none", kid: keys.RS256.kid }, () => ""),
    "another spelling of `none`": () => forged({ alg: "nOnE", kid: keys.RS256.kid }, () => ""),
    "the algorithm of the client, and no signature": () => forged({ alg: "RS256", kid: keys.RS256.kid }, () => ""),
    "HS256 with the public key in PEM as secret": async () =>
        symmetric(await jose.exportSPKI(keys.RS256.publicKey), keys.RS256.kid),
    "HS256 with the public key as JSON as secret": () => symmetric(JSON.stringify(keys.RS256.jwk), keys.RS256.kid),
    "HS256 with the modulus as secret": () => symmetric(keys.RS256.jwk.n, keys.RS256.kid),
    "another key with the same name": async () => token("RS256", {}, { key: await key("RS256") }),
    "the name of a key that is not there": () => token("RS256", {}, { header: { kid: "kid-2" } }),
    "a key in the header": async () => {
        const own = await key("RS256");
        return token("RS256", {}, { key: own, header: { jwk: own.jwk } });
    },
    "an algorithm that the client did not register": () => token("ES256"),
    "another algorithm's name over a good key": () => token("RS256", {}, { header: { kid: keys.ES256.kid } }),
    "an extension that has to be understood": () =>
        forged({ alg: "RS256", kid: keys.RS256.kid, crit: ["exp2"], exp2: 1 }, rs256),
    "a payload that is not encoded": () =>
        forged({ alg: "RS256", kid: keys.RS256.kid, crit: ["b64"], b64: false }, rs256),
    "another issuer": () => token("RS256", { iss: "https://oauth.telegram.example.attacker.example" }),
    "an issuer with a slash more": () => token("RS256", { iss: `${ISSUER}/` }),
    "no issuer": () => token("RS256", { iss: undefined }),
    "another client": () => token("RS256", { aud: "7342037358" }),
    "another client among several": () => token("RS256", { aud: ["1", "2"] }),
    "no client": () => token("RS256", { aud: undefined }),
    "no end": () => token("RS256", { exp: undefined }),
    "an end two minutes ago": () => token("RS256", { iat: seconds() - 3720, exp: seconds() - 120 }),
    "an end that is a text": () => token("RS256", { exp: "tomorrow" }),
    "no beginning": () => token("RS256", { iat: undefined }),
    "nobody": () => token("RS256", { sub: undefined }),
    "a list as payload": () => forged({ alg: "RS256", kid: keys.RS256.kid }, rs256, [1]),
    "two parts": async () => (await token("RS256")).split(".").slice(0, 2).join("."),
    "four parts": async () => `${await token("RS256")}.e30`,
    "an empty text": () => "",
};

function rs256(text) {
    return signWith("sha256", Buffer.from(text), rsaKey).toString("base64url");
}

test("Refused here and by jose is a token with", async (t) => {
    for (const [what, forge] of Object.entries(FORGERIES)) {
        await t.test(what, async (t) => {
            const data = await forge();
            const { ok, error } = await (await checking(t)).check("RS256", data);
            assert.equal(ok, undefined, `taken: ${data}`);
            assert.equal(typeof error, "string");
            assert.notEqual(error, "Asked");
            assert.equal(await joseTakes("RS256", data), false);
        });
    }
});

test("The same key says yes to the same token as it is", async (t) => {
    // So that what the forgeries change is what is refused.
    const data = forged({ alg: "RS256", kid: keys.RS256.kid }, rs256);
    const { check } = await checking(t);
    assert.ok((await check("RS256", data)).ok);
    assert.ok(await joseTakes("RS256", data));
});

test("A signature of ES256 in the form of certificates is refused here and by jose", async (t) => {
    const jwk = await jose.exportJWK(keys.ES256.privateKey);
    const signed = (dsaEncoding) =>
        forged({ alg: "ES256", kid: keys.ES256.kid }, (text) =>
            signWith("sha256", Buffer.from(text), { key: jwk, format: "jwk", dsaEncoding }).toString("base64url"),
        );
    const { check } = await checking(t);
    assert.ok((await check("ES256", signed("ieee-p1363"))).ok);
    assert.equal((await check("ES256", signed("der"))).ok, undefined);
    assert.equal(await joseTakes("ES256", signed("der")), false);
});

test("A nonce has to be the one that was sent", async (t) => {
    const { check, nonce } = await checking(t);
    assert.ok((await check("ES256", await token("ES256", { nonce }))).ok);
    assert.equal((await check("ES256", await token("ES256", { nonce: `${nonce}x` }))).error, "Nonce");
});

test("Four hundred damaged tokens: what jose refuses is refused here", async (t) => {
    const { check } = await checking(t);
    const chance = dice(3);
    let taken = 0;
    for (const alg of Object.keys(ALGS)) {
        const good = await token(alg);
        for (let round = 0; round < 100; round += 1) {
            const data = damaged(good, chance);
            const { ok, error } = await check(alg, data);
            const theirs = await joseTakes(alg, data);
            assert.ok(theirs || ok === undefined, `${data}: taken here, refused by jose`);
            taken += ok !== undefined;
            assert.notEqual(error, "Asked");
        }
    }
    t.diagnostic(`${taken} of 400 were still good`);
});
