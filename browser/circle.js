// The whole circle: a local Telegram with a bot, the example site that belongs to it, the command of
// whoever logs in there, the browser that they sit at, and their dashboard.
import assert from "node:assert/strict";

import { profile } from "./engine.js";
import { Dashboard } from "./dashboard.js";
import { command, exampleSite, telegram } from "./processes.js";

export const BOT = "CircleTestBot";
export const DOMAIN = "localhost";

/** How long a request to log in waits for an answer, in seconds. */
export const REQUEST_LIFE = 300;

/** Makes a bot with a domain and a client of OpenID Connect: its id, token and secret. */
export async function newBot(server, { username = BOT, name = "The shop's bot", oidc = {} } = {}) {
    const { token, user_id: id } = await server.control("POST", "/bots", { username, name });
    const settings = (urls) => ({ domain: DOMAIN, oidc: { urls, match_codes: "asked", ...oidc } });
    const put = (urls) => server.control("PUT", `/bots/${username}`, settings(urls));
    const { client_secret: secret } = await put([`http://${DOMAIN}:1`]);
    return { username, id: String(id), token, secret, put, alg: oidc.alg };
}

/** The example site of this bot: its address. */
const example = (t, server, bot) =>
    exampleSite(t, { telegram: server.web, bot: bot.username, token: bot.token, client: bot });

/** All of it, for one test; `makeSite` makes another site than the example. */
export async function circle(t, browser, { bot: settings = {}, makeSite = example } = {}) {
    const server = await telegram(t);
    const bot = await newBot(server, settings);
    const site = await makeSite(t, server, bot);
    const origin = site.origin ?? site;
    await bot.put([origin, `${origin}/login/openid/callback`]);
    const me = await command(t, server);
    const rows = async () => (await me.say("web", "list", "--domain", DOMAIN)).web_authorizations;
    return {
        server,
        bot,
        site,
        me,
        visitor: await profile(t, browser),
        dashboard: async () => Dashboard.open(await profile(t, browser), server),
        /** The web sessions of the account at the site. */
        rows,
        /** Ends the only login by the command, and sees the row gone. */
        reset: async () => {
            const [row, ...more] = await rows();
            assert.deepEqual(more, []);
            await me.say("web", "reset", row.hash, "--yes");
            assert.deepEqual(await rows(), []);
            return row;
        },
    };
}

/** The link that a waiting page shows for an app. */
export async function link(page) {
    return page.locator("code.link").textContent();
}

/** What the command is told to say yes to a link: to what is not in `more`, no. */
export function yes(link, ...more) {
    const noes = ["write", "phone"].filter((what) => !more.includes(`--${what}`)).map((what) => `--no-${what}`);
    return ["web", "approve", link, "--yes", ...noes, ...more];
}

/** Says yes by the command to what a waiting page asks for. */
export async function approve(me, page, ...more) {
    return me.say(...yes(await link(page), ...more));
}

/** The picture that a waiting page shows, and that the app asks for. */
export async function picture(page) {
    return page.locator(".match strong").textContent();
}

/** Clicks what opens a window: the window. */
export async function opened(page, button) {
    const [popup] = await Promise.all([page.waitForEvent("popup"), button.click()]);
    return popup;
}

/** The button in the frame of the login widget. */
export function widget(page) {
    return page.frameLocator("iframe").getByRole("link", { name: /Log in/ });
}
