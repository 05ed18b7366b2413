// npm's `oidc-provider`, on loopback, as somebody else's "Log in with ...": it asks nobody.
import { createServer } from "node:http";

import { exportJWK, generateKeyPair } from "jose";

import { atEnd } from "./end.js";

/** What the provider signs with. It knows no ES256K. */
export const ALGS = ["RS256", "ES256", "EdDSA"];

/** The person who is always signed in there. */
export const PERSON = {
    sub: "opaque-subject-1",
    id: 4_242_424_242,
    name: "Ada Exämple & <Co>",
    preferred_username: "ada_example",
    picture: "https://t.me/i/userpic/320/x.jpg",
};

async function key(alg) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `key-${alg}` };
}

/**
 * Starts one that knows `client` (`client_id`, `client_secret`, `redirect_uris` and so on, or a function
 * of the provider's address that makes them). What it answers to its users is `decide`: a person's
 * consent (`true`), or an OAuth error.
 */
export async function provider(t, client, decide = () => true) {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    atEnd(t, () => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    const issuer = `http://127.0.0.1:${server.address().port}`;

    const provider = await quietly(issuer, {
        clients: [typeof client === "function" ? await client(issuer) : client],
        jwks: { keys: await Promise.all(ALGS.map(key)) },
        scopes: ["openid", "profile", "phone", "telegram:bot_access"],
        claims: { openid: ["sub", "id"], profile: ["name", "preferred_username", "picture"], phone: ["phone_number"] },
        // As Telegram does, which has no other place for them.
        conformIdTokenClaims: false,
        findAccount: (context, sub) => ({ accountId: sub, claims: () => PERSON }),
        features: { devInteractions: { enabled: false } },
        interactions: { url: (context, { uid }) => `/interaction/${uid}` },
        cookies: { keys: ["a key for cookies of one test"] },
        pkce: { required: () => true },
        ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 3600, Interaction: 600, Session: 600 },
    });
    const tokens = [];
    const callback = provider.callback();
    server.on("request", (request, response) => {
        if (request.url.startsWith("/interaction/")) {
            void interaction(provider, request, response, decide);
        } else {
            callback(request, response);
        }
    });
    provider.on("grant.success", (context) => tokens.push(context.body));
    return { issuer, tokens };
}

/** It says that it would rather have a newer Node, and that it keeps all in memory. */
async function quietly(issuer, configuration) {
    const { warn } = console;
    console.warn = () => {};
    try {
        const { Provider } = await import("oidc-provider");
        return new Provider(issuer, configuration);
    } finally {
        console.warn = warn;
    }
}

async function interaction(provider, request, response, decide) {
    const { params } = await provider.interactionDetails(request, response);
    const answer = decide();
    if (answer !== true) {
        return provider.interactionFinished(request, response, answer);
    }
    const grant = new provider.Grant({ accountId: PERSON.sub, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const result = { login: { accountId: PERSON.sub }, consent: { grantId: await grant.save() } };
    return provider.interactionFinished(request, response, result);
}
