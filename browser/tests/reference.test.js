// The method reference in a browser: valid, readable by everybody, usable by keyboard, from files.
//
// `CHAPPE_BLESS=1 browser/run.sh reference` takes the pictures of it anew. Whoever does so looks at each.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { HtmlValidate } from "html-validate";

import { DESKTOP, lacks, launch, PHONE, profile, skip } from "../engine.js";
import { audit, fits, tabTo } from "../pages.js";
import { picture } from "../pictures.js";
import { finished, programs } from "../processes.js";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

const BUILD_LIMIT = 20_000;
const site = mkdtempSync(join(tmpdir(), "chappe-reference-"));
after(() => rmSync(site, { recursive: true, force: true }));
let built;
before(async () => {
    // The quickest of three counts: other tests are busy meanwhile.
    for (let round = 0; round < 3 && !(built < BUILD_LIMIT); round += 1) {
        const begun = performance.now();
        const { code, stderr } = await finished(programs.reference, ["site", site]);
        assert.equal(code, 0, stderr);
        built = Math.min(built ?? Infinity, performance.now() - begun);
    }
});

/** A page of each kind, the largest and the smallest among them. */
const KINDS = [
    "index.html",
    "start.html",
    "methods/index.html",
    "methods/index-bots.html",
    "methods/account.resetWebAuthorization.html",
    "methods/messages.sendMedia.html",
    "methods/invokeWithLayer.html",
    "methods/wallet.getState.html",
    "types/index.html",
    "types/index-I.html",
    "types/InputPeer.html",
    "types/WebAuthorization.html",
    "constructors/index.html",
    "constructors/webAuthorization.html",
    "constructors/channelFull.html",
    "constructors/boolTrue.html",
    "errors/index.html",
    "errors/HASH_INVALID.html",
    "errors/FLOOD_WAIT_X.html",
    "layers/index.html",
    "layers/230.html",
    "layers/186.html",
    "namespaces/index.html",
    "namespaces/messages.html",
    "namespaces/root.html",
];

/** Every which page is validated. */
const SHARE = 20;

const address = (page) => pathToFileURL(join(site, page)).href;
const SHOWN = "methods/account.resetWebAuthorization.html";

/** A page of the site, opened as a file. */
async function open(t, page = SHOWN, options = {}) {
    const person = await profile(t, browser, options);
    // axe asks for the style once more, which a file may not.
    person.expect(/XMLHttpRequest at 'file:|net::ERR_FAILED/);
    return person.open(address(page));
}

/** All pages of the site, by their paths. */
function* pages() {
    for (const folder of ["", ...readdirSync(site, { withFileTypes: true }).filter((it) => it.isDirectory()).map((it) => it.name)]) {
        for (const file of readdirSync(join(site, folder))) {
            if (file.endsWith(".html")) {
                yield join(folder, file);
            }
        }
    }
}

const rules = {
    extends: ["html-validate:recommended"],
    rules: {
        // How HTML is written, and not what it says: maud writes it.
        "doctype-style": "off",
        "long-title": "off",
        "no-trailing-whitespace": "off",
        "void-style": "off",
        // Code is scrolled by keyboard, for which it has the focus and a name.
        "prefer-native-element": ["error", { exclude: ["region"] }],
    },
};

test("The whole site is built in less than 20 seconds", () => {
    assert.ok(built < BUILD_LIMIT, `${built} ms`);
});

test("Pages are valid HTML", async (t) => {
    const validator = new HtmlValidate(rules);
    const complaints = [];
    let checked = 0;
    for (const [index, page] of [...pages()].entries()) {
        // Four thousand pages take minutes, and are of few kinds.
        if (!KINDS.includes(page) && index % SHARE !== 0) {
            continue;
        }
        checked += 1;
        const { results } = await validator.validateString(readFileSync(join(site, page), "utf8"), page);
        for (const { messages } of results) {
            complaints.push(...messages.map(({ line, column, ruleId, message }) => `${page}:${line}:${column} ${ruleId}: ${message}`));
        }
    }
    t.diagnostic(`${checked} pages`);
    assert.ok(checked > 4_000 / SHARE, `${checked} pages`);
    assert.deepEqual(complaints.slice(0, 20), [], `${complaints.length} complaints`);
});

test("Pages of every kind can be read by everybody, in light and dark, at a desk and on a telephone", { skip }, async (t) => {
    const page = await open(t, "index.html");
    for (const kind of KINDS) {
        for (const [size, name] of [[DESKTOP, "desk"], [PHONE, "telephone"]]) {
            await page.setViewportSize(size);
            await page.goto(address(kind));
            for (const colorScheme of ["light", "dark"]) {
                await page.emulateMedia({ colorScheme });
                await audit(page, `${kind} in ${colorScheme} on a ${name}`);
            }
            await fits(page, `${kind} on a ${name}`);
        }
        await page.setViewportSize({ width: 320, height: 600 });
        await fits(page, `${kind} on a small telephone`);
    }
});

test("Nothing moves while a page comes up", { skip: skip || lacks("layout shifts") }, async (t) => {
    const page = await open(t);
    await page.addInitScript(() => {
        globalThis.moved = [];
        new PerformanceObserver((list) => globalThis.moved.push(...list.getEntries().map(({ value }) => value))).observe({ type: "layout-shift", buffered: true });
    });
    for (const size of [DESKTOP, PHONE]) {
        await page.setViewportSize(size);
        for (const kind of KINDS) {
            await page.goto(address(kind));
            await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
            assert.deepEqual(await page.evaluate(() => globalThis.moved), [], `${kind} at ${size.width} pixels`);
        }
    }
});

test("A language is chosen by keyboard, remembered, and shown on the next page", { skip }, async (t) => {
    const page = await open(t);
    const shown = () => page.locator(".panel:visible");
    assert.match(await shown().innerText(), /use chappe::Client/);
    const rust = page.getByRole("radio", { name: "Rust" });
    for (let step = 0; !(await rust.evaluate((radio) => radio === document.activeElement)); step += 1) {
        assert.ok(step < 80, "Tab does not come to the languages");
        await page.keyboard.press("Tab");
    }
    for (let step = 0; step < 3; step += 1) {
        await page.keyboard.press("ArrowRight");
    }
    assert.equal(await shown().count(), 1);
    assert.match(await shown().innerText(), /telethon/i);
    await page.goto(address("methods/account.getWebAuthorizations.html"));
    assert.equal(await shown().count(), 1);
    assert.match(await shown().innerText(), /GetWebAuthorizationsRequest/);
    assert.ok(await page.getByRole("radio", { name: "Python" }).isChecked());
});

test("Without a script everything is there, and languages can be chosen", { skip: skip || lacks("pages without scripts") }, async (t) => {
    const page = await open(t, SHOWN, { javaScriptEnabled: false });
    assert.equal(await page.locator(".panel:visible").count(), 1);
    await page.getByText("Python", { exact: true }).click();
    assert.equal(await page.locator(".panel:visible").count(), 1);
    assert.match(await page.locator(".panel:visible").innerText(), /ResetWebAuthorizationRequest/);
    await page.getByText("boolTrue").nth(1).click();
});

test("A button copies the code, by keyboard, too", { skip }, async (t) => {
    const page = await open(t);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copy = page.getByRole("button", { name: "Copy: Rust example" });
    await tabTo(page, copy);
    await page.keyboard.press("Enter");
    await page.getByText("Copied").first().waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await page.locator(".panel.rust code").last().textContent());
    assert.match(copied, /ResetWebAuthorization \{ hash: 4457235 \}/);
});

test("Light and dark are switched by keyboard, and remembered", { skip }, async (t) => {
    const page = await open(t);
    await page.emulateMedia({ colorScheme: "light" });
    await page.reload();
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await tabTo(page, page.getByRole("button", { name: "Change to dark" }));
    await page.keyboard.press("Enter");
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.goto(address("errors/HASH_INVALID.html"));
    assert.equal(await paper(), dark);
    await audit(page, "switched to dark");
    await page.getByRole("button", { name: "Change to light" }).click();
    assert.equal(await paper(), light);
});

test("The search finds names in every spelling, from files and by keyboard alone", { skip }, async (t) => {
    const page = await open(t, "index.html");
    const hits = page.getByRole("option");
    for (const key of ["/", "Control+k"]) {
        await page.keyboard.press(key);
        await page.getByRole("combobox", { name: "Search" }).waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "hidden" });
    }
    await page.keyboard.press("/");
    for (const query of ["account.resetWebAuthorization", "ResetWebAuthorization", "reset_web_authorization", "0x2d01b9ef", "2d01b9ef", "ends one login with telegram website"]) {
        await page.getByRole("combobox", { name: "Search" }).fill(query);
        await hits.first().waitFor();
        assert.match(await hits.first().innerText(), /account\.resetWebAuthorization/, query);
        await audit(page, `the search for ${query}`);
    }
    await page.getByRole("combobox").fill("zzqqxx");
    await page.getByText("Nothing has this name").waitFor();
    await page.getByRole("combobox").fill("HASH_INVALID");
    await hits.first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL(/errors\/HASH_INVALID\.html/);
});

test("On paper a page is its content", { skip }, async (t) => {
    const page = await open(t);
    await page.emulateMedia({ media: "print" });
    for (const gone of [".top", ".side", ".toc", ".copy"]) {
        assert.equal(await page.locator(gone).first().isVisible(), false, gone);
    }
    assert.ok(await page.getByRole("heading", { name: "Parameters" }).isVisible());
});

test("What the documents show of it is what it looks like", { skip }, async (t) => {
    const page = await open(t);
    await picture(page, "reference-method", { size: { width: 1280, height: 1100 } });
    await page.goto(address("constructors/webAuthorization.html"));
    await picture(page, "reference-phone", { size: PHONE, colorScheme: "dark" });
    await page.goto(address("index.html"));
    await page.keyboard.press("/");
    await page.getByRole("combobox", { name: "Search" }).fill("reset web");
    await page.getByRole("option").first().waitFor();
    await picture(page, "reference-search", { size: { width: 1000, height: 700 } });
});
