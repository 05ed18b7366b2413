// Chromium, and pages of it that complain of what no page of ours may do.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

import { atEnd } from "./end.js";

const STEP_LIMIT = 15_000;

const { CHROMIUM_BIN } = process.env;
const path = (CHROMIUM_BIN ? [CHROMIUM_BIN] : ["/usr/bin/chromium", "/usr/bin/chromium-browser"]).find(existsSync);

/** Why tests with a browser cannot run here; `false` where they can. */
export const skip = path === undefined && `there is no Chromium ${CHROMIUM_BIN ? `at ${CHROMIUM_BIN}` : "here (Debian: apt-get install chromium)"}`;

/** The sizes that pages are looked at in. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Starts a browser for the tests of one file; the caller closes it. */
export async function launch() {
    return chromium.launch({
        executablePath: path,
        // Chromium's own sandbox refuses to run as root.
        chromiumSandbox: process.getuid() !== 0,
        args: [
            "--disable-background-networking",
            // Where there is no network namespace, names still lead nowhere.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            "--force-color-profile=srgb",
            "--font-render-hinting=none",
        ],
    });
}

/**
 * A person's browser profile: what it opens shares cookies, and a complaint of any of its pages
 * (console errors, errors of scripts, content that the page's own policy forbids, requests to other
 * machines) fails the test when it ends, unless it was expected.
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
