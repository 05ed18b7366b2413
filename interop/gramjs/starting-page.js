// The program that the project starts from, with session and address filled in.
//
// Two more of its lines had to change before GramJS itself would run it: the class is spelled
// `ResetWebAuthorization` there, and a client must `connect` before it can `invoke`.
"use strict";

const { apiHash, apiId, check, connect, refused, run: start, settings, signIn } = require("./local");

async function signedIn() {
    const client = await connect();
    await signIn(client);
    const text = client.session.save();
    await client.destroy();
    return text;
}

start(async () => {
    const { Api, TelegramClient } = require('telegram');
    const { StringSession } = require('telegram/sessions');

    const session = new StringSession(await signedIn());
    const client = new TelegramClient(session, apiId, apiHash, settings());
    await client.connect();

    async function run() {
        const result = await client.invoke(
            new Api.account.ResetWebAuthorization({
                hash: 4457235,
            }),
        );
        console.log(result); // prints the result
        return result;
    }

    check((await run()) === true, "the result is not true");
    await refused("HASH_INVALID", run());
    await client.destroy();
});
