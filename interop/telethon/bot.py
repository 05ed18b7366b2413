"""Telethon signs a bot in, and the methods of web sessions refuse it."""

import asyncio

from telethon import errors, functions, types

from local import check, client, refused, server


async def main():
    telegram = client()
    await telegram.connect()
    bot = server["bots"][0]
    me = await telegram.sign_in(bot_token=bot["token"])
    check(isinstance(me, types.User) and me.bot, f"{me!r} is not the bot")
    check((me.id, me.username) == (bot["user_id"], bot["username"]), f"signed in as {me.username}")
    print(f"signed in as @{me.username}")

    for request in (
        functions.account.ResetWebAuthorizationRequest(hash=4457235),
        functions.account.GetWebAuthorizationsRequest(),
        functions.account.ResetWebAuthorizationsRequest(),
    ):
        await refused(errors.BotMethodInvalidError, telegram(request))
        print(f"{type(request).__name__}: BOT_METHOD_INVALID")

    check(await telegram.log_out() is True, "not signed out")
    print("done")


asyncio.run(main())
