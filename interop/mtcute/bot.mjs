// mtcute signs a bot in, and the methods of web sessions refuse it.

import { Long } from "@mtcute/node";
import { check, client, refused, run, server } from "./local.mjs";

run(async () => {
    const telegram = client();
    await telegram.connect();
    const { token, user_id: id, username } = server.bots[0];
    const me = await telegram.signInBot(token);
    check(me.isBot && me.id === id && me.username === username, `signed in as ${me.id}`);
    console.log(`signed in as @${me.username}`);

    for (const request of [
        { _: "account.resetWebAuthorization", hash: Long.fromNumber(4457235) },
        { _: "account.getWebAuthorizations" },
        { _: "account.resetWebAuthorizations" },
    ]) {
        await refused("BOT_METHOD_INVALID", telegram.call(request));
        console.log(`${request._}: BOT_METHOD_INVALID`);
    }

    await telegram.logOut();
    await telegram.destroy();
});
