// "Log in with Telegram" by OpenID Connect, in a browser: the example site, the person who answers in
// the dashboard or by the command, and the end of each login.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { engine, launch, profile, skip } from "../engine.js";
import { approve, BOT, circle, link, opened, picture, REQUEST_LIFE, yes } from "../circle.js";
import { Dashboard } from "../dashboard.js";
import { atEnd } from "../end.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

/** Goes to the site and presses "Log in with Telegram": the page that waits. */
async function begin({ visitor, site }, ...asked) {
    const page = await visitor.open(site);
    for (const what of asked) {
        await page.getByLabel(what).check();
    }
    await page.getByRole("button", { name: "Log in with Telegram" }).click();
    await page.locator(".match").waitFor();
    return page;
}

const hello = (page) => page.getByRole("heading", { name: /^Hello/ });

test("A person logs in, picks the right picture in the dashboard, and ends it", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here);
    const dashboard = await here.dashboard();
    await dashboard.approve("localhost", { picture: await picture(page) });
    await hello(page).waitFor();
    assert.equal(await hello(page).textContent(), "Hello, Claude Chappe");
    assert.equal(new URL(page.url()).origin, here.site);
    const row = await here.reset();
    assert.match(row.browser, engine.agent);
    // The site says that its own session is its own affair, and it is.
    await page.reload();
    await hello(page).waitFor();
    await page.getByRole("button", { name: "Log out here" }).click();
    await page.getByRole("button", { name: "Log in with Telegram" }).waitFor();
});

test("A person logs in by the command, gives the phone number, and ends it", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here, "my phone number", "the right to write to me");
    await approve(here.me, page, "--phone", "--write", "--match-code", await picture(page));
    await hello(page).waitFor();
    await page.getByText("The phone number: granted").waitFor();
    await here.reset();
});

test("What is not granted is not told", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here, "my phone number");
    await approve(here.me, page, "--match-code", await picture(page));
    await hello(page).waitFor();
    await page.getByText("The phone number: asked for, and not granted").waitFor();
    await here.reset();
});

test("A person who declines is not logged in", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here);
    here.visitor.expect(/403/);
    await (await here.dashboard()).decline("localhost");
    await page.getByRole("heading", { name: "You said no" }).waitFor();
    assert.deepEqual(await here.rows(), []);
});

test("The wrong picture ends the login, in the dashboard and by the command", { skip }, async (t) => {
    const here = await circle(t, browser);
    here.visitor.expect(/403/);
    const wrong = async (page) => {
        const { logins } = await here.server.control("GET", "/logins");
        const shown = await picture(page);
        return logins[0].match_codes.find((code) => code !== shown);
    };
    const byCommand = await begin(here);
    const { code } = await here.me.run(...yes(await link(byCommand), "--match-code", await wrong(byCommand)));
    assert.notEqual(code, 0);
    await byCommand.getByRole("heading", { name: "You said no" }).waitFor();

    const inDashboard = await begin(here);
    const person = await profile(t, browser);
    person.expect(/40[0-9]/);
    const dashboard = await Dashboard.open(person, here.server);
    await dashboard.approve("localhost", { picture: await wrong(inDashboard) });
    await dashboard.page.getByRole("alert").filter({ hasText: "not the match code" }).waitFor();
    await inDashboard.getByRole("heading", { name: "You said no" }).waitFor();
    assert.deepEqual(await here.rows(), []);
});

test("After five minutes nobody can approve any more", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here);
    const [late, code] = [await link(page), await picture(page)];
    await here.server.passTime(REQUEST_LIFE + 1);
    const answer = await here.me.run(...yes(late, "--match-code", code));
    assert.notEqual(answer.code, 0);
    assert.match(answer.stderr, /expired|over/i);
    assert.deepEqual(await here.rows(), []);
});

test("Only registered addresses are gone to", { skip }, async (t) => {
    const { server, bot, site, visitor } = await circle(t, browser);
    visitor.expect(/400/);
    const callback = `${site}/login/openid/callback`;
    for (const redirect of [
        "http://localhost:1/login/openid/callback",
        `${callback}/`,
        `${callback}?next=/`,
        callback.replace("localhost", "LOCALHOST"),
        callback.replace("localhost", "127.0.0.1"),
        `http://attacker.example/?${callback}`,
        "javascript:alert(1)//",
    ]) {
        const query = new URLSearchParams({ client_id: bot.id, redirect_uri: redirect, response_type: "code", scope: "openid", state: "x" });
        const page = await visitor.open(`${server.web}/auth?${query}`);
        // No consent page and no way on: the address is not one to send anybody to.
        assert.equal(new URL(page.url()).origin, server.web);
        assert.equal(await page.locator(".match").count(), 0, redirect);
        assert.equal(await page.locator(`a[href^="${redirect}"]`).count(), 0);
        await page.close();
    }
    assert.deepEqual((await server.control("GET", "/logins")).logins, []);
});

test("A code is used once: the address that it came in is worth nothing", { skip }, async (t) => {
    const here = await circle(t, browser);
    const { visitor, server, bot, site } = here;
    const codes = [];
    visitor.context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.pathname === "/login/openid/callback") {
            codes.push(url);
        }
    });
    const page = await begin(here);
    await approve(here.me, page, "--match-code", await picture(page));
    await hello(page).waitFor();
    const [used] = codes;
    visitor.expect(/403/);
    await page.goto(used.href);
    await page.getByRole("heading", { name: "This login is not yours" }).waitFor();
    // Nor is it to whoever else has it, and even the secret.
    const answer = await fetch(`${server.web}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from(`${bot.id}:${bot.secret}`).toString("base64")}` },
        body: new URLSearchParams({
            grant_type: "authorization_code",
            code: used.searchParams.get("code"),
            redirect_uri: `${site}/login/openid/callback`,
            code_verifier: "v".repeat(43),
        }),
    });
    assert.equal(answer.status, 400);
    assert.equal((await answer.json()).error, "invalid_grant");
});

test("Another browser cannot end a login that it did not begin", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await begin(here);
    const handle = await page.locator("[data-request]").getAttribute("data-request");
    await approve(here.me, page, "--match-code", await picture(page));
    await hello(page).waitFor();
    const other = await browser.newContext();
    atEnd(t, () => other.close());
    const stolen = await other.newPage();
    const answer = await stolen.goto(`${here.server.web}/auth/push?request=${handle}`);
    assert.equal(answer.status(), 403);
    assert.equal(new URL(stolen.url()).origin, here.server.web);
});

test("The JavaScript library logs in by a window, and its token is for this page", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await here.visitor.open(`${here.site}/ways/library`);
    const window = await opened(page, page.getByRole("button", { name: "Log in with Telegram" }));
    await approve(here.me, window, "--match-code", await picture(window));
    await hello(page).waitFor();
    await here.reset();
});

test("A window that is closed is told to the page", { skip }, async (t) => {
    const here = await circle(t, browser);
    const page = await here.visitor.open(`${here.site}/ways/library`);
    const window = await opened(page, page.getByRole("button", { name: "Log in with Telegram" }));
    await window.close();
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await here.rows(), []);
});

for (const alg of ["ES256", "EdDSA", "ES256K"]) {
    test(`The example site takes tokens by ${alg}`, { skip }, async (t) => {
        const here = await circle(t, browser, { bot: { username: BOT, oidc: { alg } } });
        const page = await begin(here);
        await approve(here.me, page, "--match-code", await picture(page));
        await hello(page).waitFor();
    });
}
