// GramJS signs a bot in, and the methods of web sessions refuse it.
"use strict";

const { Api, apiHash, apiId, check, connect, refused, run, server } = require("./local");

run(async () => {
    const client = await connect();
    const { token, user_id: id, username } = server.bots[0];
    const me = await client.signInBot({ apiId, apiHash }, { botAuthToken: token });
    check(me instanceof Api.User && me.bot, `${me} is not the bot`);
    check(me.id.toString() === String(id) && me.username === username, `signed in as ${me.id}`);
    console.log(`signed in as @${me.username}`);

    for (const request of [
        new Api.account.ResetWebAuthorization({ hash: 4457235 }),
        new Api.account.GetWebAuthorizations(),
        new Api.account.ResetWebAuthorizations(),
    ]) {
        await refused("BOT_METHOD_INVALID", client.invoke(request));
        console.log(`${request.className}: BOT_METHOD_INVALID`);
    }

    await client.invoke(new Api.auth.LogOut());
    await client.destroy();
});
