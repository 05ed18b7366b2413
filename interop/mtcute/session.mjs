// mtcute makes a session and keeps it, or uses one: `keep FOLDER`, `use FORMAT FILE`.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStringSession } from "@mtcute/node/utils.js";
import { check, client, run, server, signIn } from "./local.mjs";
import program from "../program.js";

/** Signs in and keeps the session in the form that mtcute has. */
async function keep(folder) {
    const telegram = client();
    await telegram.connect();
    const me = await signIn(telegram);
    check(me.id === server.accounts[0].user_id, `signed in as ${me.id}`);
    const file = join(folder, "mtcute.txt");
    writeFileSync(file, await telegram.exportSession());
    await telegram.destroy();
    console.log(JSON.stringify({ mtcute: file }));
}

/** Says who is signed in by a session of somebody else, and what there is to see. */
async function use(file) {
    const text = readFileSync(file, "utf8").trim();
    const { main } = readStringSession(text).primaryDcs;
    const where = [main.id, main.ipAddress, main.port].join();
    check(where === [server.dc_id, program.host, program.port].join(), `the session leads to ${where}`);
    const telegram = client();
    await telegram.importSession(text);
    await telegram.connect();
    const me = await telegram.getMe();
    const web = await telegram.call({ _: "account.getWebAuthorizations" });
    const devices = await telegram.call({ _: "account.getAuthorizations" });
    await telegram.destroy();
    console.log(
        JSON.stringify({
            id: me.id,
            web: web.authorizations.length,
            devices: devices.authorizations.length,
        }),
    );
}

run(async () => {
    const [verb, ...rest] = process.argv.slice(3);
    await (verb === "keep" ? keep(rest[0]) : use(rest[1]));
});
