// What holds for every page of ours: it can be used by keyboard, and read by everybody.
import assert from "node:assert/strict";

import axe from "axe-core";

/** Fails if axe-core finds something serious on the page as it stands. */
export async function audit(page, what) {
    await page.evaluate(axe.source);
    // A change of colours may take its time; what moves for ever is not waited for.
    await page.evaluate(() => {
        const ends = ({ effect }) => effect.getComputedTiming().endTime !== Infinity;
        return Promise.all(document.getAnimations().filter(ends).map((animation) => animation.finished));
    });
    const { violations } = await page.evaluate(() =>
        globalThis.axe.run(document, { resultTypes: ["violations"], iframes: false }),
    );
    const found = violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, help, nodes }) => nodes.map((node) => `${id} (${help}): ${node.html}\n  ${node.failureSummary}`));
    assert.equal(found.length, 0, `${what}:\n${found.join("\n")}`);
}

/** Goes with the Tab key to the element, which has to show that it has the focus. */
export async function tabTo(page, locator, steps = 100) {
    for (let step = 0; step < steps; step += 1) {
        if (await locator.evaluate((element) => element === document.activeElement)) {
            const shown = await locator.evaluate((element) => {
                const style = getComputedStyle(element);
                return style.outlineStyle !== "none" || style.boxShadow !== "none";
            });
            assert.ok(shown, `nobody sees that ${locator} has the focus`);
            return;
        }
        await page.keyboard.press("Tab");
    }
    assert.fail(`${steps} presses of Tab did not come to ${locator}`);
}

/** The page may not be wider than the window. */
export async function fits(page, what) {
    const [content, window] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
    ]);
    assert.ok(content <= window, `${what} is ${content} pixels wide in a window of ${window}`);
}

/**
 * Goes to every page that links of the open one lead to, and to those that these lead to: `look` is
 * called on each with what it is. Of pages that differ only by a number or a name one is gone to.
 */
export async function everywhere(page, look) {
    const { origin } = new URL(page.url());
    const kinds = new Set();
    const waiting = [page.url()];
    while (waiting.length > 0) {
        const url = new URL(waiting.shift());
        const kind = url.pathname.replace(/-?\d{3,}/g, "N").replace(/\/bots\/\w*Bot\b/, "/bots/N");
        if (url.origin !== origin || kinds.has(kind)) {
            continue;
        }
        kinds.add(kind);
        if (page.url() !== url.href) {
            await page.goto(url.href);
        }
        await look(kind);
        waiting.push(...(await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.href))));
    }
    return kinds;
}
