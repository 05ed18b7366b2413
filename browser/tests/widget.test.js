// The login widget and the JavaScript library in a browser, at a site that npm's packages make: a popup, a
// person who answers in the dashboard or by the command, and the end of each login.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { engine, launch, skip } from "../engine.js";
import { approve, circle, DOMAIN, link, opened, picture, REQUEST_LIFE, widget, yes } from "../circle.js";
import { shop } from "../shop.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

/** All of it around a site that npm's packages make. */
const around = (t) =>
    circle(t, browser, {
        makeSite: (t, server, bot) => shop(t, { telegram: server.web, token: bot.token, bot: bot.username }),
    });

const popup = (page) => opened(page, widget(page));
const ownButton = (page) => opened(page, page.getByRole("button", { name: "Log in" }));
const greeting = (page) => page.locator("#greeting").textContent();
const refusal = (page) => page.locator("#refusal").textContent();

test("A person logs in by the callback, approves in the dashboard, and ends it", { skip }, async (t) => {
    const { server, site, visitor, dashboard, reset } = await around(t);
    const page = await visitor.open(`${site.origin}/callback`);
    const window = await popup(page);
    await (await dashboard()).approve(DOMAIN, { write: true });
    assert.equal(await greeting(page), "Hello, Claude!");
    assert.ok(window.isClosed() || (await window.waitForEvent("close")));
    const phone = server.accounts[0].phone.replace(/\D/g, "");
    assert.ok(!JSON.stringify(site.seen).includes(phone), "a phone number was told");
    const row = await reset();
    assert.match(row.browser, engine.agent);
    assert.equal(row.ip, "127.0.0.1");
});

test("A person logs in by the redirect, approves by the command, and ends it", { skip }, async (t) => {
    const { site, me, visitor, reset } = await around(t);
    const page = await visitor.open(`${site.origin}/redirect`);
    await approve(me, await popup(page));
    assert.equal(await greeting(page), "Hello, Claude!");
    assert.equal(new URL(page.url()).pathname, "/welcome");
    await reset();
});

test("A site with a button of its own is told, too", { skip }, async (t) => {
    const { site, me, visitor, reset } = await around(t);
    const page = await visitor.open(`${site.origin}/own-button`);
    await approve(me, await ownButton(page));
    assert.equal(await greeting(page), "Hello, Claude!");
    await reset();
});

test("A browser that was authorised by a phone number logs in by two clicks the next time", { skip }, async (t) => {
    const { server, site, visitor, rows } = await around(t);
    const page = await visitor.open(`${site.origin}/own-button`);
    const first = await ownButton(page);
    await first.getByLabel(/phone/i).fill(server.accounts[0].phone);
    await first.getByLabel(/phone/i).press("Enter");
    const { logins } = await server.control("GET", "/logins");
    assert.equal(logins[0].user_id, server.accounts[0].user_id);
    await server.control("POST", `/logins/${logins[0].id}/approve`, { user: server.accounts[0].user_id });
    assert.equal(await greeting(page), "Hello, Claude!");

    await page.goto(`${site.origin}/own-button`);
    const second = await ownButton(page);
    await second.getByRole("button", { name: "Log in as Claude" }).click();
    assert.equal(await greeting(page), "Hello, Claude!");
    assert.ok((await rows()).length >= 1);

    await page.goto(`${site.origin}/own-button`);
    const third = await ownButton(page);
    await third.getByRole("button", { name: "Use another account" }).click();
    await third.getByLabel(/phone/i).waitFor();
});

test("A person who declines or cancels is not logged in, and no row is made", { skip }, async (t) => {
    const { site, visitor, dashboard, rows } = await around(t);
    const page = await visitor.open(`${site.origin}/own-button`);
    await ownButton(page);
    await (await dashboard()).decline(DOMAIN);
    assert.match(await refusal(page), /not logged in/);

    await page.goto(`${site.origin}/own-button`);
    const window = await ownButton(page);
    await window.getByRole("button", { name: "Cancel" }).click();
    assert.match(await refusal(page), /not logged in/);
    assert.deepEqual(await rows(), []);
});

test("After five minutes the popup says that the time is over, and an approval comes too late", { skip }, async (t) => {
    const { server, site, me, visitor, rows } = await around(t);
    const page = await visitor.open(`${site.origin}/callback`);
    const window = await popup(page);
    const late = await link(window);
    await server.passTime(REQUEST_LIFE + 1);
    await window.getByRole("heading", { name: "The time is over" }).waitFor();
    const { code, stderr } = await me.run(...yes(late));
    assert.notEqual(code, 0);
    assert.match(stderr, /expired|over/i);
    assert.deepEqual(await rows(), []);
    await window.getByRole("link", { name: "Try again" }).click();
    await approve(me, window);
    assert.equal(await greeting(page), "Hello, Claude!");
});

test("A site that is not the bot's reads so in the place of the button, and gets no popup", { skip }, async (t) => {
    const { server, bot, site, visitor } = await around(t);
    const page = await visitor.open(`${site.elsewhere}/callback`);
    await page.frameLocator("iframe").getByText("Bot domain invalid").waitFor();
    assert.equal(await page.frameLocator("iframe").getByRole("link").count(), 0);
    // The popup says so, too, whoever opens it.
    visitor.expect(/400/);
    for (const [origin, back] of [
        [site.elsewhere, `${site.elsewhere}/callback`],
        [site.origin, `${site.elsewhere}/callback`],
        [site.origin, `http://localhost.attacker.example/`],
        [site.origin, `${site.origin}@attacker.example/`],
    ]) {
        const query = new URLSearchParams({ bot_id: bot.id, origin, return_to: back });
        const window = await visitor.open(`${server.web}/auth?${query}`);
        await window.getByRole("heading", { name: "Bot domain invalid" }).waitFor();
        await window.close();
    }
});

test("A changed field is refused by the site", { skip }, async (t) => {
    const { site, me, visitor } = await around(t);
    const page = await visitor.open(`${site.origin}/redirect`);
    await approve(me, await popup(page));
    await page.locator("#greeting").waitFor();
    const welcome = new URL(page.url());
    for (const [name, value] of [["id", "777000"], ["first_name", "Eve"], ["username", "eve"], ["auth_date", "1795660000"], ["more", "1"]]) {
        const url = new URL(welcome);
        url.searchParams.set(name, value);
        await page.goto(url.href);
        assert.match(await refusal(page), /could not be validated/, name);
    }
});

test("Telegram's JavaScript library logs in at a site that checks by jose", { skip }, async (t) => {
    const { server, bot, site, me, visitor, reset } = await around(t);
    const page = await visitor.open(`${site.origin}/library`);
    const window = await opened(page, page.getByRole("button", { name: "Log In with Telegram" }));
    await approve(me, window, "--match-code", await picture(window));
    assert.equal(await greeting(page), "Hello, Claude Chappe!");
    assert.equal(bot.id, String((await server.control("GET", `/bots/${bot.username}`)).user_id));
    await reset();
});
