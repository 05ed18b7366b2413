// GramJS makes a session and keeps it, or uses one: `keep FOLDER`, `use FORMAT FILE`.
"use strict";

const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { StringSession } = require("telegram/sessions");
const { AT_ONCE, Api, check, connect, run, server, signIn } = require("./local");

/** Signs in and keeps the session in the form that GramJS has. */
async function keep(folder) {
    const client = await connect();
    const me = await signIn(client);
    check(me.id.toString() === String(server.accounts[0].user_id), `signed in as ${me.id}`);
    const file = join(folder, "gramjs.txt");
    writeFileSync(file, client.session.save());
    await client.destroy();
    console.log(JSON.stringify({ gramjs: file }));
}

/** Says who is signed in by a session of somebody else, and what there is to see. */
async function use(file) {
    const session = new StringSession(readFileSync(file, "utf8").trim());
    const client = await connect(AT_ONCE, session);
    check(session.dcId === server.dc_id, `the session leads to data centre ${session.dcId}`);
    check(await client.checkAuthorization(), "not signed in");
    const me = await client.getMe();
    const web = await client.invoke(new Api.account.GetWebAuthorizations());
    const devices = await client.invoke(new Api.account.GetAuthorizations());
    await client.destroy();
    console.log(
        JSON.stringify({
            id: Number(me.id),
            web: web.authorizations.length,
            devices: devices.authorizations.length,
        }),
    );
}

run(async () => {
    const [verb, ...rest] = process.argv.slice(3);
    await (verb === "keep" ? keep(rest[0]) : use(rest[1]));
});
