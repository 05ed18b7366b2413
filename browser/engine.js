// The browser that pages are looked at in, and pages of it that complain of what no page of ours may do.
//
// It is Chromium, or Debian's Firefox if CHAPPE_BROWSER says `firefox`.
import { existsSync } from "node:fs";

import { chromium, firefox } from "playwright-core";

import { atEnd } from "./end.js";
import { taught } from "./firefox.js";

const STEP_LIMIT = 30_000;

const { CHROMIUM_BIN, FIREFOX_BIN } = process.env;
// An empty variable is none.
const name = process.env.CHAPPE_BROWSER || "chromium";

const ENGINES = {
    chromium: {
        name: "Chromium",
        /** What it calls itself to a site. */
        agent: /Chrom/,
        places: CHROMIUM_BIN ? [CHROMIUM_BIN] : ["/usr/bin/chromium", "/usr/bin/chromium-browser"],
        install: "apt-get install chromium",
        cannot: [],
        start: (executablePath) =>
            chromium.launch({
                executablePath,
                // Chromium's own sandbox refuses to run as root.
                chromiumSandbox: process.getuid() !== 0,
                args: [
                    "--disable-background-networking",
                    // Where there is no network namespace, names still lead nowhere.
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
                    "--force-color-profile=srgb",
                    "--font-render-hinting=none",
                ],
            }),
    },
    firefox: {
        name: "Firefox",
        agent: /Firefox/,
        places: FIREFOX_BIN ? [FIREFOX_BIN] : ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
        install: "apt-get install firefox-esr",
        cannot: ["layout shifts", "pages without scripts"],
        start: async (executablePath) =>
            taught(
                await firefox.launch({
                    executablePath,
                    // Not Playwright's own build: the one that people have, by WebDriver BiDi.
                    channel: "moz-firefox",
                    args: ["--remote-allow-system-access"],
                    firefoxUserPrefs: {
                        "layout.css.prefers-color-scheme.content-override": 1,
                        // The mouse of a test does not come to frames that are in another process.
                        "fission.webContentIsolationStrategy": 0,
                        // Names lead nowhere: all is asked of a proxy that is not there, but what is on this machine.
                        "network.proxy.type": 1,
                        "network.proxy.http": "127.0.0.1",
                        "network.proxy.http_port": 9,
                        "network.proxy.ssl": "127.0.0.1",
                        "network.proxy.ssl_port": 9,
                        "network.proxy.no_proxies_on": "localhost, 127.0.0.1, [::1]",
                    },
                }),
            ),
    },
};

/** The engine of this run. */
export const engine = ENGINES[name];
if (engine === undefined) {
    throw new Error(`CHAPPE_BROWSER is ${name}; it can be one of: ${Object.keys(ENGINES).join(", ")}`);
}

const path = engine.places.find(existsSync);

/** Why tests with a browser cannot run here; `false` where they can. */
export const skip = path === undefined && `there is no ${engine.name} at ${engine.places.join(" or ")} (Debian: ${engine.install})`;

/** Why a test that needs `what` of the browser cannot run in this one; `false` where it can. */
export const lacks = (what) => engine.cannot.includes(what) && `${engine.name} does not show ${what}`;

/** The sizes that pages are looked at in. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Starts a browser for the tests of one file; the caller closes it. */
export async function launch() {
    return engine.start(path);
}

/**
 * A person's browser profile: what it opens shares cookies, and a complaint of any of its pages
 * (console errors, errors of scripts, content that the page's own policy forbids, answers that are
 * errors, requests to other machines) fails the test when it ends, unless it was expected.
 */
export async function profile(t, browser, options = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", ...options });
    context.setDefaultTimeout(STEP_LIMIT);
    const complaints = [];
    const expected = [];
    context.on("console", (message) => {
        if (["error", "assert"].includes(message.type())) {
            complaints.push(`${message.page()?.url()}: ${message.text()}`);
        }
    });
    context.on("weberror", (error) => complaints.push(`${error.page()?.url()}: ${error.error().message}`));
    context.on("dialog", (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) {
            complaints.push(`a request to ${url.origin}`);
        }
    });
    if (engine === ENGINES.firefox) {
        // Chromium writes these to the console that tests can read.
        context.on("response", (response) => {
            if (response.status() >= 400) {
                complaints.push(`${response.url()}: ${response.status()}`);
            }
        });
        await context.addInitScript(() =>
            document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
                console.error(`Content Security Policy: ${effectiveDirective} forbids ${blockedURI}`),
            ),
        );
    }
    atEnd(t, async () => {
        await context.close();
        const left = complaints.filter((complaint) => !expected.some((words) => complaint.match(words)));
        if (left.length > 0) {
            throw new Error(`the browser complained:\n${left.join("\n")}`);
        }
    });
    return {
        context,
        complaints,
        /** Complaints that match are wanted here. */
        expect: (words) => expected.push(words),
        open: async (url) => {
            const page = await context.newPage();
            await page.goto(url);
            return page;
        },
    };
}
