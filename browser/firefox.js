// What Playwright has to be told to drive the Firefox that people have, by WebDriver BiDi.
//
// Light and dark, paper, forced colours and less motion: Playwright asks for them by a command that this Firefox does
// not have, though Firefox can do all of it. The command is taken out of what Playwright sends, and done inside the
// browser.

const MEDIA = "emulation.setMediaFeaturesOverride";

/** How Firefox calls what a page of Playwright is to look like. */
const overrides = ({ media, colorScheme, reducedMotion, forcedColors }) => ({
    mediumOverride: media === "no-override" ? "" : media,
    prefersColorSchemeOverride: colorScheme === "no-override" ? "none" : colorScheme,
    prefersReducedMotionOverride: reducedMotion === "reduce" ? "reduce" : "none",
    forcedColorsOverride: forcedColors === "active" ? "active" : "none",
});

/** Runs inside the browser: sets a page of it. */
const SETS = `(id, overrides) => {
    const { NavigableManager } = ChromeUtils.importESModule("chrome://remote/content/shared/NavigableManager.sys.mjs");
    Object.assign(NavigableManager.getBrowsingContextById(id), JSON.parse(overrides));
}`;

/** The browser, with what it lacks; it has to be started with `--remote-allow-system-access`. */
export async function taught(browser) {
    const inside = browser._connection.toImpl(browser);
    const { _connection: connection, _browserSession: session } = inside;
    const { contexts: windows } = await session.send("browsingContext.getTree", { "moz:scope": "chrome" });
    const look = async (id) => {
        const value = (value) => ({ type: "string", value });
        const { type, exceptionDetails } = await session.send("script.callFunction", {
            functionDeclaration: SETS,
            arguments: [value(id), value(JSON.stringify(overrides(inside._bidiPages.get(id)._page.emulatedMedia())))],
            target: { context: windows[0].context },
            awaitPromise: false,
        });
        if (type === "exception") {
            throw new Error(`Firefox does not know how to look different: ${exceptionDetails.text}`);
        }
    };
    const send = connection.rawSend.bind(connection);
    const answer = (message, words) => connection._dispatchMessage({ id: message.id, ...words });
    connection.rawSend = (message) => {
        const { method, params } = message;
        const failed = (error) => answer(message, { type: "error", error: "unknown error", message: error.message });
        if (method === MEDIA) {
            // What a whole profile begins with is said when the browser starts: light.
            const [page] = params.contexts ?? [];
            (page ? look(page) : Promise.resolve()).then(() => answer(message, { type: "success", result: {} }), failed);
        } else {
            send(message);
        }
    };
    return browser;
}
