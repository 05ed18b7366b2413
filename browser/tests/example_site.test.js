// The login widget at the example site, and what nobody is logged in by there.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { launch, profile, skip } from "../engine.js";
import { approve, circle, opened, widget } from "../circle.js";
import { atEnd } from "../end.js";
import { asking, exampleSite, programs } from "../processes.js";
import { PERSON, provider } from "../provider.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

const hello = (page) => page.getByRole("heading", { name: /^Hello/ });
const seconds = () => Math.floor(Date.now() / 1000);

/** Logs in by the widget's redirect, and keeps the address that the fields came in. */
async function loggedIn({ visitor, site, me }) {
    const addresses = [];
    visitor.context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.pathname.startsWith("/login/widget/")) {
            addresses.push(url);
        }
    });
    const page = await visitor.open(site);
    await approve(me, await opened(page, widget(page)));
    await hello(page).waitFor();
    assert.equal(await hello(page).textContent(), "Hello, Claude Chappe");
    return { page, address: addresses[0] };
}

test("A person logs in by the widget's redirect, and ends it", { skip }, async (t) => {
    const here = await circle(t, browser);
    await loggedIn(here);
    await here.reset();
});

test("A person logs in by the widget's callback, and ends it", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await here.visitor.open(`${here.site}/ways/callback`);
    const window = await opened(page, widget(page));
    await approve(here.me, window);
    await hello(page).waitFor();
    await here.reset();
});

test("Used, changed, old and foreign logins are refused, and say why", { skip }, async (t) => {
    const here = await circle(t, browser);
    const { visitor, bot } = here;
    const { page, address } = await loggedIn(here);
    await page.getByRole("button", { name: "Log out here" }).click();
    visitor.expect(/40[03]/);
    const check = asking(t, programs.check);
    const signed = async (fields, token = bot.token) => {
        const { ok } = await check({ kind: "sign_widget", token, data: `${new URLSearchParams(fields)}`, now: seconds() });
        return ok.query;
    };
    const refused = async (query, words) => {
        const url = new URL(address);
        url.search = query;
        await page.goto(url.href);
        await page.getByText(words).first().waitFor();
        await page.goto(here.site);
        assert.equal(await hello(page).count(), 0, "somebody was logged in");
    };
    await refused(address.search, /was used already/);
    await refused(address.search.replace(/id=\d+/, "id=777000"), /does not belong to these fields/);
    await refused(address.search.replace(/hash=./, "hash=g"), /./);
    const fields = { id: "7", first_name: "Eve" };
    await refused(await signed({ ...fields, auth_date: seconds() - 400 }), /s old/);
    await refused(await signed({ ...fields, auth_date: seconds() + 400 }), /in the future/);
    await refused(await signed({ ...fields, auth_date: seconds() }, "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"), /does not belong/);
    // What is refused above is refused for what was changed.
    const url = new URL(address);
    url.search = await signed({ ...fields, auth_date: seconds() });
    await page.goto(url.href);
    await hello(page).waitFor();
});

test("A link to log somebody in as somebody else logs nobody in", { skip }, async (t) => {
    const here = await circle(t, browser);
    const { address } = await loggedIn(here);
    const victim = await browser.newContext();
    atEnd(t, () => victim.close());
    const page = await victim.newPage();
    const answer = await page.goto(address.href);
    assert.equal(answer.status(), 403);
    await page.getByRole("heading", { name: "This login is not yours" }).waitFor();
});

test("A link that brings a login along logs nobody in, on any page with a widget", { skip }, async (t) => {
    const { bot, site, visitor } = await circle(t, browser);
    const check = asking(t, programs.check);
    const data = `${new URLSearchParams({ id: "7", first_name: "Eve", auth_date: seconds() })}`;
    const { ok } = await check({ kind: "sign_widget", token: bot.token, data, now: seconds() });
    const eve = Buffer.from(JSON.stringify(Object.fromEntries(new URLSearchParams(ok.query)))).toString("base64url");
    const page = await visitor.open(site);
    for (const path of ["/", "/ways/callback"]) {
        await page.goto("about:blank");
        await page.goto(`${site}${path}#tgAuthResult=${eve}`);
        // The widget's script has run when its frame is there.
        await widget(page).waitFor();
        await page.getByText("A link brought a login along").waitFor();
        assert.equal(page.url(), `${site}${path}`);
        await page.goto(site);
        assert.equal(await hello(page).count(), 0, `somebody was logged in by ${path}`);
    }
});

test("The example site logs in at a provider that is not ours", { skip }, async (t) => {
    const client = { id: "7342037359", secret: "a-secret-of-a-test" };
    const token = `${client.id}:ABC-DEF1234ghIkl-zyx57W2v1u123ew11`;
    let site;
    await provider(t, async (issuer) => {
        site = await exampleSite(t, { telegram: issuer, bot: "NobodysBot", token, client });
        return {
            client_id: client.id,
            client_secret: client.secret,
            redirect_uris: [`${site}/login/openid/callback`],
            token_endpoint_auth_method: "client_secret_basic",
        };
    });
    const visitor = await profile(t, browser);
    // It has neither a widget nor the person's picture.
    visitor.expect(/404|MIME|https:\/\/t\.me|ERR_NAME_NOT_RESOLVED/);
    const page = await visitor.open(site);
    await page.getByRole("button", { name: "Log in with Telegram" }).click();
    await hello(page).waitFor();
    assert.equal(await hello(page).textContent(), `Hello, ${PERSON.name}`);
});
