"""kurigram starts as a bot, and the methods of web sessions refuse it."""

import asyncio

from pyrogram import errors, raw

from local import check, client, refused, server


async def main():
    bot = server["bots"][0]
    telegram = client(bot_token=bot["token"])
    await telegram.start()
    me = telegram.me
    check(me.is_bot and (me.id, me.username) == (bot["user_id"], bot["username"]), f"signed in as {me.id}")
    print(f"signed in as @{me.username}")

    for request in (
        raw.functions.account.ResetWebAuthorization(hash=4457235),
        raw.functions.account.GetWebAuthorizations(),
        raw.functions.account.ResetWebAuthorizations(),
    ):
        await refused(errors.BotMethodInvalid, telegram.invoke(request))
        print(f"{type(request).__name__}: BOT_METHOD_INVALID")

    check(await telegram.log_out() is True, "not signed out")
    print("done")


asyncio.run(main())
