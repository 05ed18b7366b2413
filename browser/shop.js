// A site as its developer writes it: the snippets of the documentation, npm's packages to check what
// comes. It has nothing of this repository in it.
import { createServer } from "node:http";

import { AuthDataValidator } from "@telegram-auth/server";
import { objectToAuthDataMap, urlStrToAuthDataMap } from "@telegram-auth/server/utils";
import { createRemoteJWKSet, jwtVerify } from "jose";

import { atEnd } from "./end.js";

const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const page = (body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,"></head>
<body><main>${body}</main></body></html>`;

const greeting = (name) => page(`<h1 id="greeting">Hello, ${escaped(name)}!</h1>`);
const refusal = (why) => page(`<h1 id="refusal">You are not logged in: ${escaped(why)}</h1>`);

/** Sends what a script of the page was given to the site, and shows what the site says. */
const SENDS = `
    async function send(path, body) {
        const answer = await fetch(path, { method: "POST", body });
        document.body.innerHTML = await answer.text();
    }`;

/**
 * Starts one. `telegram` is the address that stands for telegram.org, `token` the bot's; by its
 * pages the widget and the library are asked for with `attributes` (or `options`) besides the necessary ones.
 */
export async function shop(t, { telegram, token, bot }) {
    const validator = new AuthDataValidator({ botToken: token, inValidateDataAfter: 300 });
    const jwks = createRemoteJWKSet(new URL("/.well-known/jwks.json", telegram));
    const clientId = token.split(":")[0];
    const seen = [];

    const widget = async (fields) => {
        seen.push(Object.fromEntries(fields));
        return validator.validate(fields).then(
            (user) => greeting(user.first_name),
            (error) => refusal(error.message),
        );
    };
    const idToken = async (token) => {
        seen.push(token);
        return jwtVerify(token, jwks, { issuer: telegram, audience: clientId }).then(
            ({ payload }) => greeting(payload.name),
            (error) => refusal(error.message),
        );
    };

    const script = (attributes) => `<script async src="${telegram}/js/telegram-widget.js?22"
        data-telegram-login="${bot}" data-size="large" ${attributes}></script>`;
    const pages = {
        // core.telegram.org/widgets/login-legacy, "Callback".
        "/callback": () =>
            page(`<h1>Welcome</h1>${script('data-onauth="onTelegramAuth(user)" data-request-access="write"')}
                <script>${SENDS} function onTelegramAuth(user) { send("/callback", JSON.stringify(user)); }</script>`),
        // The same, "Redirect to URL".
        "/redirect": () => page(`<h1>Welcome</h1>${script('data-auth-url="/welcome?from=shop"')}`),
        "/welcome": (url) => {
            url.searchParams.delete("from");
            return widget(urlStrToAuthDataMap(url.href));
        },
        // By a button of the site's own.
        "/own-button": () =>
            page(`<h1>Welcome</h1><button id="own">Log in</button><script src="${telegram}/js/telegram-widget.js?22"></script>
                <script>${SENDS}
                    own.onclick = () => Telegram.Login.auth({ bot_id: "${clientId}", request_access: "write" },
                        (user) => user ? send("/callback", JSON.stringify(user)) : send("/cancelled"));
                </script>`),
        // core.telegram.org/bots/telegram-login, the JavaScript library.
        "/library": () =>
            page(`<h1>Welcome</h1><button class="tg-auth-button" data-style="icon">Log In with Telegram</button>
                <script async src="${telegram}/js/telegram-login.js" data-client-id="${clientId}"
                    data-request-access="phone write" data-onauth="onTelegramAuth(data)"></script>
                <script>${SENDS}
                    function onTelegramAuth(data) {
                        data.error ? send("/cancelled", data.error) : send("/id-token", data.id_token);
                    }
                </script>`),
    };
    const posts = {
        "/callback": (body) => widget(objectToAuthDataMap(JSON.parse(body))),
        "/id-token": idToken,
        "/cancelled": (body) => refusal(body || "cancelled"),
    };

    const server = createServer(async (request, response) => {
        const url = new URL(request.url, "http://localhost");
        let body = "";
        for await (const bytes of request) {
            body += bytes;
        }
        const answer = request.method === "POST" ? posts[url.pathname]?.(body) : pages[url.pathname]?.(url);
        response.writeHead(answer === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
        response.end(await answer);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    atEnd(t, () => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    const { port } = server.address();
    return {
        /** Its address. The bot's domain is `localhost`. */
        origin: `http://localhost:${port}`,
        /** The same site by another name, which is not the bot's. */
        elsewhere: `http://127.0.0.1:${port}`,
        /** What was presented to it. */
        seen,
    };
}
