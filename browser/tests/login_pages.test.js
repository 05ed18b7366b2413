// The pages that people see on their way in, telegram.org's and the site's: everybody can read them, and
// they fit into a telephone.
import { after, test } from "node:test";

import { launch, PHONE, skip } from "../engine.js";
import { approve, circle, opened, picture, REQUEST_LIFE, widget } from "../circle.js";
import { audit, fits, tabTo } from "../pages.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

const NARROW = { width: 320, height: 568 };

/** Looks at a page in light and dark, and in the sizes of telephones. */
async function look(page, what) {
    const size = page.viewportSize();
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await audit(page, `${what} in ${colorScheme}`);
    }
    for (const telephone of [PHONE, NARROW]) {
        await page.setViewportSize(telephone);
        await fits(page, what);
    }
    await page.setViewportSize(size);
}

test("The way in by OpenID Connect", { skip }, async (t) => {
    const { visitor, site, me, server } = await circle(t, browser);
    visitor.expect(/40[034]/);
    const page = await visitor.open(site);
    await look(page, "the site's first page");
    await page.getByLabel("my phone number").check();
    await page.getByLabel("the right to write to me").check();
    await tabTo(page, page.getByRole("button", { name: "Log in with Telegram" }));
    await page.keyboard.press("Enter");
    await page.locator(".match").waitFor();
    await look(page, "the page that waits");
    await approve(me, page, "--match-code", await picture(page));
    await page.getByRole("heading", { name: /^Hello/ }).waitFor();
    await look(page, "the greeting");
    await page.goto(`${site}/nowhere`);
    await look(page, "the site's page of a problem");
    await page.goto(`${server.web}/auth`);
    await look(page, "Telegram's page of a problem");
});

test("The way in by the widget, with a phone number", { skip }, async (t) => {
    const { visitor, site, server } = await circle(t, browser);
    visitor.expect(/40[034]/);
    const page = await visitor.open(site);
    const window = await opened(page, widget(page));
    await look(window, "the popup");
    await tabTo(window, window.getByLabel(/phone/i));
    await window.keyboard.type("nonsense");
    await window.keyboard.press("Enter");
    await window.locator("[aria-invalid]").waitFor();
    await look(window, "the popup with a wrong number");
    await window.getByLabel(/phone/i).fill(server.accounts[0].phone);
    await window.keyboard.press("Enter");
    await window.locator(".sent").waitFor();
    await look(window, "the popup that has sent a message");
    const { logins } = await server.control("GET", "/logins");
    await server.control("POST", `/logins/${logins[0].id}/approve`, { user: server.accounts[0].user_id });
    await page.getByRole("heading", { name: /^Hello/ }).waitFor();

    await page.getByRole("button", { name: "Log out here" }).click();
    const second = await opened(page, widget(page));
    await second.getByRole("button", { name: /^Log in as/ }).waitFor();
    await look(second, "the popup in a browser that is known");
    await server.passTime(REQUEST_LIFE + 1);
    await second.getByRole("heading", { name: "The time is over" }).waitFor();
    await look(second, "the popup that is over");
});
