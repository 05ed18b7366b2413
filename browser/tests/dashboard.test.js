// The dashboard, for who has no mouse, for who does not see well, and for who means ill.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { launch, PHONE, profile, skip } from "../engine.js";
import { circle, newBot, picture } from "../circle.js";
import { Dashboard } from "../dashboard.js";
import { atEnd } from "../end.js";
import { audit, everywhere, fits, tabTo } from "../pages.js";
import { telegram } from "../processes.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

const MARKUP = `"><img src=/x onerror=alert(1)><script>alert(2)</script>`;
const PAGES_AT_LEAST = 12;

/** Asks to log in at the example site: the page that waits. */
async function asked({ visitor, site }) {
    const page = await visitor.open(site);
    await page.getByLabel("my phone number").check();
    await page.getByRole("button", { name: "Log in with Telegram" }).click();
    await page.locator(".match").waitFor();
    return page;
}

test("A login is approved, and ended, without a mouse", { skip }, async (t) => {
    const here = await circle(t, browser);
    const waiting = await asked(here);
    const { page } = await here.dashboard();

    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await tabTo(page, page.getByRole("navigation").getByRole("link", { name: "Logins" }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Logins" }).waitFor();
    await tabTo(page, page.getByRole("link", { name: /^Review/ }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Log in to/ }).waitFor();

    const shown = await picture(waiting);
    const radios = page.getByRole("radio");
    await tabTo(page, radios.first());
    await page.keyboard.press("Space");
    for (let step = 0; (await page.locator("input[name=match_code]:checked").inputValue()) !== shown; step += 1) {
        assert.ok(step < 5, "the arrows do not come to the picture");
        await page.keyboard.press("ArrowRight");
    }
    await tabTo(page, page.getByLabel(/phone number/));
    await page.keyboard.press("Space");
    await tabTo(page, page.getByRole("button", { name: "Log in" }));
    await page.keyboard.press("Enter");
    await waiting.getByRole("heading", { name: /^Hello/ }).waitFor();
    assert.equal((await here.rows()).length, 1);

    await tabTo(page, page.getByRole("navigation").getByRole("link", { name: "Overview" }));
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("link", { name: "Claude Chappe" }).first());
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("link", { name: "Disconnect localhost" }));
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("button", { name: "Disconnect" }));
    await page.keyboard.press("Enter");
    await page.getByText("Disconnected").first().waitFor();
    assert.deepEqual(await here.rows(), []);
});

test("What has the focus keeps it, for all to see, when there are news", { skip }, async (t) => {
    const here = await circle(t, browser);
    await asked(here);
    const { page } = await here.dashboard();
    await page.getByRole("navigation").getByRole("link", { name: "Logins" }).click();
    const review = page.getByRole("link", { name: /^Review/ });
    await tabTo(page, review);
    const held = await review.getAttribute("href");
    await asked(here);
    await review.nth(1).waitFor();
    await page.bringToFront();
    const focus = await page.evaluate(() => [document.activeElement.getAttribute("href"), document.activeElement.matches(":focus-visible")]);
    assert.deepEqual(focus, [held, true]);
});

test("All pages can be read by everybody, in light and dark, and fit into a telephone", { skip }, async (t) => {
    const here = await circle(t, browser);
    await asked(here);
    const { page } = await here.dashboard();
    const kinds = await everywhere(page, async (kind) => {
        for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            await audit(page, `${kind} in ${colorScheme}`);
        }
        const size = page.viewportSize();
        await page.setViewportSize(PHONE);
        await fits(page, kind);
        await page.setViewportSize(size);
    });
    t.diagnostic([...kinds].map((kind) => kind.replace(/^\/[^/]+/, "")).join(" "));
    assert.ok(kinds.size >= PAGES_AT_LEAST, [...kinds].join("\n"));
});

test("Names and browsers full of markup are shown as what they are", { skip }, async (t) => {
    const here = await circle(t, browser, { bot: { name: MARKUP.slice(0, 60) } });
    const evil = await profile(t, browser, { userAgent: `Mozilla/5.0 ${MARKUP}` });
    const waiting = await asked({ ...here, visitor: evil });
    assert.equal(await waiting.locator("img[onerror]").count(), 0);
    const { page } = await here.dashboard();
    await everywhere(page, async () => {
        assert.equal(await page.locator("img, main script, [onerror]").count(), 0);
    });
    await page.goto(here.server.dashboard);
    await page.getByText("<img src=/x").first().waitFor();
});

test("No page can be put into a frame of another site", { skip }, async (t) => {
    const here = await circle(t, browser);
    await asked(here);
    const person = await profile(t, browser);
    const { page } = await Dashboard.open(person, here.server);
    const inside = page.url();
    const trap = createServer((request, response) => {
        const url = new URL(request.url, "http://localhost").searchParams.get("url");
        response.writeHead(200, { "content-type": "text/html" });
        response.end(`<!doctype html><title>Trap</title><link rel=icon href=data:,><iframe src="${url}"></iframe>`);
    });
    await new Promise((resolve) => trap.listen(0, "127.0.0.1", resolve));
    atEnd(t, () => new Promise((resolve) => trap.close(resolve).closeAllConnections()));
    const query = new URLSearchParams({ bot_id: here.bot.id, origin: here.site, return_to: `${here.site}/` });
    // Where the person is signed in to the dashboard, too.
    person.expect(/frame-ancestors|403|SameSite/);
    const victim = await person.open("about:blank");
    for (const url of [inside, here.server.dashboard, `${here.server.web}/auth?${query}`, here.site]) {
        await victim.goto(`http://127.0.0.1:${trap.address().port}/?url=${encodeURIComponent(url)}`);
        // A page of the browser's own that says so.
        const shown = await victim.frames()[1].evaluate(() => document.documentURI);
        assert.match(shown, /^(chrome-error|about:neterror)/, url);
    }
});

test("Without its key the dashboard shows nothing, and another page's form does nothing", { skip }, async (t) => {
    const server = await telegram(t);
    await newBot(server);
    const { origin } = new URL(server.dashboard);
    const stranger = await profile(t, browser);
    stranger.expect(/40[0-9]/);
    for (const path of ["/", "/logins", "/bots", "/style.css"]) {
        const page = await stranger.open(origin + path);
        assert.ok(!(await page.content()).includes("Claude"), path);
        await page.close();
    }
    // A page of the same host, whose form brings the cookie along, still lacks what only the pages have in them.
    const person = await profile(t, browser);
    person.expect(/40[0-9]/);
    const { page } = await Dashboard.open(person, server);
    const room = new URL(page.url()).pathname.replace(/\/$/, "");
    const attack = createServer((request, response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.end(`<!doctype html><title>Attack</title><link rel=icon href=data:,>
            <form method=post action="${origin}${room}/accounts/new"><input name=phone value=+9996621999><input name=first_name value=Eve>
            <button>Win a prize</button></form>`);
    });
    await new Promise((resolve) => attack.listen(0, "127.0.0.1", resolve));
    atEnd(t, () => new Promise((resolve) => attack.close(resolve).closeAllConnections()));
    const other = await person.open(`http://127.0.0.1:${attack.address().port}/`);
    await other.getByRole("button").click();
    await other.waitForURL(`${origin}/**`);
    await page.goto(server.dashboard);
    assert.equal(await page.getByText("Eve").count(), 0);
});
