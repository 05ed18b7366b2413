"""A person and a bot of kurigram write to each other: a command, a button, a change, codes of 777000."""

import asyncio

from pyrogram import filters, handlers
from pyrogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from local import check, client, server

PATIENCE = 20


async def main():
    account, token = server["accounts"][0], server["bots"][0]
    bot = client(name="bot", bot_token=token["token"])
    person = client(name="person", phone_number=account["phone"], phone_code=account["code"])
    await bot.start()
    await person.start()
    heard = {name: asyncio.Queue() for name in ("person", "bot", "edited")}

    def keep(name):
        async def handler(_, message):
            await heard[name].put(message)

        return handler

    person.add_handler(handlers.MessageHandler(keep("person"), filters.incoming))
    person.add_handler(handlers.EditedMessageHandler(keep("edited")))
    bot.add_handler(handlers.MessageHandler(keep("bot"), filters.command("start")))

    await person.send_message(token["username"], "/start")
    start = await told(heard["bot"])
    check(start.from_user.id == account["user_id"], str(start))
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
    await start.reply("Shall I?", reply_markup=keyboard)
    asked = await told(heard["person"])
    check(asked.text == "Shall I?" and asked.reply_markup.inline_keyboard[0][0].text == "Yes", str(asked))

    async def answer(_, query):
        await query.answer("Done.", show_alert=True)
        await query.edit_message_text("I did.")

    bot.add_handler(handlers.CallbackQueryHandler(answer, filters.regex("^yes$")))
    answered = await asked.click("Yes")
    check(answered.message == "Done." and answered.alert, str(answered))
    edited = await told(heard["edited"])
    check(edited.text == "I did." and edited.reply_markup is None, str(edited))
    print("a button asked its bot, and the message was changed")

    texts = [message.text async for message in person.get_chat_history(token["username"])]
    check(texts == ["I did.", "/start"], f"{texts}")
    other = client(name="other")
    await other.connect()
    await other.send_code(account["phone"])
    code = await told(heard["person"])
    check(account["code"] in code.text and code.from_user.id == 777000 and code.from_user.is_verified, str(code))
    await other.disconnect()
    print("777000 wrote the code")

    for telegram in (person, bot):
        check(await telegram.log_out() is True, "not signed out")
    print("done")


async def told(queue):
    return await asyncio.wait_for(queue.get(), PATIENCE)


asyncio.run(main())
