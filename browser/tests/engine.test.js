// The tests' own means: what has to make a test fail does.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { launch, profile, skip } from "../engine.js";

/** Serves one page on loopback, as long as the test lasts: its address. */
async function serving(t, html, headers = {}) {
    const server = createServer((request, response) => {
        response.writeHead(request.url === "/" ? 200 : 404, { "content-type": "text/html", ...headers });
        response.end(request.url === "/" ? html : "");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    return `http://127.0.0.1:${server.address().port}/`;
}

const FAULTY = {
    "an error of a script": ["<link rel=icon href=data:,><script>throw new Error('broken')</script>", {}, /broken/],
    "a script that the page's policy forbids": [
        "<link rel=icon href=data:,><script>alert(1)</script>",
        { "content-security-policy": "script-src 'none'" },
        /Content Security Policy/,
    ],
    "a picture that is not there": ["<link rel=icon href=data:,><img src=/missing.png alt>", {}, /404/],
    "a dialog": ["<link rel=icon href=data:,><script>alert('here')</script>", {}, /a dialog: here/],
    "a request to another machine": [
        "<link rel=icon href=data:,><img src=http://telegram.example/x.png alt>",
        {},
        /a request to http:\/\/telegram\.example/,
    ],
};

test("A profile complains of", { skip }, async (t) => {
    let browser;
    before(async () => (browser = await launch()));
    after(() => browser?.close());
    for (const [what, [html, headers, words]] of Object.entries(FAULTY)) {
        await t.test(what, async (t) => {
            const url = await serving(t, html, headers);
            const ends = [];
            const { complaints, open } = await profile({ after: (end) => ends.push(end) }, browser);
            await open(url);
            assert.match(complaints.join("\n"), words);
            await assert.rejects(Promise.all(ends.map((end) => end())), /the browser complained/);
        });
    }
});
