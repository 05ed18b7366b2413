// docs/web-login.md, walked: what a person types, sees and clicks on the way round the circle.
//
// `CHAPPE_BLESS=1 browser/run.sh walk` takes its pictures anew, and prints what the terminal showed.
// Whoever does so looks at each of them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";

import { launch, PHONE, profile, skip } from "../engine.js";
import { opened, widget } from "../circle.js";
import { Dashboard } from "../dashboard.js";
import { BLESS, picture, WINDOW } from "../pictures.js";
import { finished, folder, programs, Running } from "../processes.js";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
/** What a browser with a window calls itself. */
const ORDINARY = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

const browser = skip ? undefined : await launch();
after(() => browser?.close());

/** Without what is different every time: ports, keys, hashes, places, dates, durations, widths. */
function same(line) {
    return line
        .replace(/:\d{4,5}\b/g, ":PORT")
        .replace(/\/[\w-]{22}\/\?key=[\w-]+/g, "/ROOM/?key=KEY")
        .replace(/\S*\/(server\.pem|second\.session)/g, "$1")
        .replace(/-?\d{7,}/g, "NUMBER")
        .replace(/\d{4}-\d\d-\d\d/g, "DATE")
        .replace(/\d+(\.\d+)? ms$/, "")
        .replace(/\s+/g, " ")
        .trim();
}

/** The lines of the document's blocks that a terminal shows. */
function documented() {
    const text = readFileSync(`${DOCS}web-login.md`, "utf8");
    // What follows is another terminal, and another test.
    const [walk] = text.split("## Your own site");
    const blocks = [...walk.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block);
    return blocks.flatMap((block) => block.split("\n")).map(same).filter((line) => line !== "");
}

test("The walk of docs/web-login.md goes as it says", { skip }, async (t) => {
    const options = { userAgent: ORDINARY, viewport: WINDOW, deviceScaleFactor: 1.5 };
    const env = { NO_COLOR: "1", HOME: folder(t) };
    /** What runs the command at a terminal. */
    const terminal = (words) => ["script", ["-qefc", `stty cols 120; ${programs.chappe} ${words}`, "/dev/null"], { env }];
    const demo = new Running(t, ...terminal("demo --web").slice(0, 2), env);
    const type = (text) => demo.child.stdin.write(`${text}\n`);
    const shown = ["$ chappe demo --web"];
    const told = async (words) => (await demo.line((line) => words.test(line))).match(words)[1];
    const site = await told(/^site +(\S+)/);
    const dashboard = await told(/^dashboard +(\S+)/);
    const elsewhere = await told(/^elsewhere +chappe (.+) web list/);
    /** What another terminal shows; the options that say where are left out in the document. */
    const other = async (...args) => {
        const { stdout, stderr, code } = await finished(...terminal(`${elsewhere} ${args.join(" ")}`));
        assert.equal(code, 0, stderr);
        return [`$ chappe ${args.join(" ")}`, ...stdout.split("\n")];
    };

    const visitor = await profile(t, browser, options);
    const page = await visitor.open(site);
    await widget(page).waitFor();
    await picture(page, "site");
    await page.getByLabel("the right to write to me").check();
    await page.getByRole("button", { name: "Log in with Telegram" }).click();
    await page.locator("[data-request]").waitFor();
    await picture(page, "waiting", { fullPage: true });
    await picture(page, "waiting-phone", { size: PHONE, colorScheme: "dark" });

    const person = await Dashboard.open(await profile(t, browser, options), { dashboard });
    await person.to("Logins");
    await person.page.getByRole("link", { name: "Review the login at localhost" }).first().waitFor();
    await picture(person.page, "overview-phone", { size: PHONE, colorScheme: "dark" });
    await person.page.getByRole("link", { name: "Review the login at localhost" }).last().click();
    await picture(person.page, "consent", { fullPage: true });
    await person.page.getByLabel(/message me/).check();
    await person.page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Hello, Claude Chappe" }).waitFor();
    await picture(page, "greeting", { fullPage: true });
    await demo.line((line) => line.startsWith("Listed now:"));

    const listed = await other("web", "list", "--domain", "localhost");
    await person.to("Overview");
    await person.page.getByRole("link", { name: "Claude Chappe" }).click();
    await person.page.getByRole("link", { name: "Disconnect localhost" }).waitFor();
    await picture(person.page, "account", { colorScheme: "dark" });

    type("reset");
    await demo.line((line) => line.startsWith("Gone from the list:"));
    const gone = await other("web", "list", "--domain", "localhost");
    await page.reload();
    await page.getByRole("heading", { name: "Hello, Claude Chappe" }).waitFor();

    shown.push(...demo.lines, ...listed, ...gone);

    await page.getByRole("button", { name: "Log out here" }).click();
    await picture(await opened(page, widget(page)), "widget", { size: { width: 550, height: 570 } });
    if (BLESS) {
        console.log(shown.join("\n"));
        return;
    }
    const known = new Set(shown.map(same));
    const missing = documented().filter((line) => !known.has(line));
    assert.deepEqual(missing, [], `not shown:\n${missing.join("\n")}\nbut\n${[...known].join("\n")}`);
});

test("The site of docs/web-login.md logs a person in, and nobody else", { skip }, async (t) => {
    const text = readFileSync(`${DOCS}web-login.md`, "utf8");
    const [, words] = text.match(/^\$ chappe (serve .*)$/m);
    const [, source] = text.match(/^```python\n(.*?)^```$/ms);
    const [, number] = text.match(/type `(\d+)`/);
    const server = new Running(t, programs.chappe, words.split(" "), { NO_COLOR: "1" });
    const told = async (line) => (await server.line((said) => line.test(said))).match(line)[1];
    const env = { TOKEN: await told(/@MyShopBot +token (\S+)/), WEB: await told(/^web +(\S+)/), PORT: "0" };
    const file = join(folder(t), "site.py");
    writeFileSync(file, source);
    const site = await new Running(t, "python3", [file], env).line();

    const visitor = await profile(t, browser);
    const person = await Dashboard.open(await profile(t, browser), { dashboard: await told(/^board +(\S+)/) });
    const page = await visitor.open(site);
    const window = await opened(page, widget(page));
    await window.getByLabel(/phone number/).fill(number);
    await window.getByRole("button", { name: "Next" }).click();
    await window.getByRole("heading", { name: "Look at Telegram" }).waitFor();
    await person.approve("localhost");
    await page.getByRole("heading", { name: "Hello, Claude" }).waitFor();

    // The address is good for nothing, here and elsewhere; nor is what a link brings along.
    const address = new URL(page.url());
    visitor.expect(/403/);
    const refused = async (url) => {
        assert.equal((await page.goto(url)).status(), 403);
        await page.getByRole("heading", { name: "Nobody was logged in" }).waitFor();
    };
    await refused(address.href);
    await page.goto(site);
    const [, own] = (await page.content()).match(/data-auth-url="(\/login\/[^"]*)"/);
    await refused(`${site}${own}${address.search}`);
    await refused(`${site}${own}${address.search.replace("Claude", "Eve")}`);
    await refused(`${site}${own}${address.search.replace(/hash=./, "hash=%C3%A4")}`);
    await refused(`${site}${own}`);
    // What another server of this machine put into the cookie gets nowhere.
    const cookie = `browser0="\\015\\012X-Own: 1\\015\\012\\015\\012\\"><script>"`;
    const { port } = new URL(site);
    const planted = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
    assert.equal(planted.headers.get("x-own"), null);
    assert.doesNotMatch(await planted.text(), /"><script>"/);
    const brought = Buffer.from(JSON.stringify(Object.fromEntries(address.searchParams))).toString("base64url");
    await page.goto("about:blank");
    await page.goto(`${site}/#tgAuthResult=${brought}`);
    await widget(page).waitFor();
    assert.equal(page.url(), `${site}/`);
});
