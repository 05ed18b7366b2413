"""A person and a bot of Telethon write to each other: buttons, a login button, what was missed, codes of 777000."""

import asyncio

from telethon import Button, errors, events, functions, types

from local import check, client, refused, server

PATIENCE = 20


async def main():
    person, bot = client(), client()
    await asyncio.gather(person.connect(), bot.connect())
    account, token = server["accounts"][0], server["bots"][0]
    await person.send_code_request(account["phone"])
    await person.sign_in(account["phone"], account["code"])
    me = await bot.sign_in(bot_token=token["token"])
    heard = {name: asyncio.Queue() for name in ("person", "bot", "edited", "deleted")}
    person.add_event_handler(heard["person"].put, events.NewMessage(incoming=True))
    person.add_event_handler(heard["edited"].put, events.MessageEdited())
    person.add_event_handler(heard["deleted"].put, events.MessageDeleted())
    bot.add_event_handler(heard["bot"].put, events.NewMessage(incoming=True))

    owner = await person.get_me(input_peer=True)
    await refused(errors.PeerIdInvalidError, bot.send_message(owner, "Buy!"))
    await person.send_message(token["username"], "/start")
    start = await told(heard["bot"])
    check(start.raw_text == "/start" and start.sender_id == account["user_id"], start.stringify())
    print("a bot is written to before it writes")

    @bot.on(events.CallbackQuery(data=b"yes"))
    async def answer(event):
        await event.answer("Done.", alert=True)
        await event.edit("I did.")

    await start.respond("Shall **I**?", buttons=[Button.inline("Yes", b"yes"), Button.inline("No", b"no")])
    asked = await told(heard["person"])
    check(asked.text == "Shall **I**?" and asked.button_count == 2, asked.stringify())
    answered = await asked.message.click(data=b"yes")
    check(answered.message == "Done." and answered.alert, answered.stringify())
    edited = await told(heard["edited"])
    check(edited.raw_text == "I did." and edited.buttons is None, edited.stringify())
    print("a button asked its bot, and the message was changed")

    address = "https://travel.example.com/login?next=a"
    login = types.KeyboardInlineButton("Log in", types.InputInlineButtonTypeUrlAuth(url=address, fwd_text="Visit"))
    await start.respond("Log in?", buttons=login)
    asked = await told(heard["person"])
    shown = asked.buttons[0][0].button.type
    check(isinstance(shown, types.InlineButtonTypeUrlAuth) and shown.url == address, asked.stringify())
    request = functions.messages.RequestUrlAuthRequest(
        peer=asked.input_chat, msg_id=asked.id, button_id=shown.button_id
    )
    known = await person(request)
    check(isinstance(known, types.UrlAuthResultAccepted) and known.url.startswith(address), known.stringify())
    notice = await told(heard["person"])
    check(notice.sender_id == 777000 and "travel.example.com" in notice.raw_text, notice.stringify())
    before = await websites(person)
    ended = await notice.message.click(0)
    left = await websites(person)
    check(ended.message and len(before - left) == 1 and left < before, f"{ended.stringify()} {before} {left}")
    edited = await told(heard["edited"])
    check(edited.id == notice.id and edited.buttons is None, edited.stringify())
    print("777000 told of a login, and its button ended it")

    await person(functions.account.ResetWebAuthorizationsRequest())
    asks = await person(request)
    check(isinstance(asks, types.UrlAuthResultRequest) and asks.bot.id == me.id, asks.stringify())
    check(asks.domain == "travel.example.com", asks.domain)
    elsewhere = types.KeyboardInlineButton("Log in", types.InputInlineButtonTypeUrlAuth(url="https://example.com"))
    await refused(errors.BotDomainInvalidError, start.respond("?", buttons=elsewhere))
    print("a login button asks for the site of its bot")

    texts = [message.raw_text async for message in person.iter_messages(me.username, reverse=True)]
    check(texts == ["/start", "I did.", "Log in?"], f"{texts}")
    dialogs = await person.get_dialogs()
    unread = {dialog.id: dialog.unread_count for dialog in dialogs}
    check(unread == {777000: 1, me.id: 2}, f"{unread}")
    await person.send_read_acknowledge(me.username)
    unread = {dialog.id: dialog.unread_count for dialog in await person.get_dialogs()}
    check(unread == {777000: 1, me.id: 0}, f"{unread} after reading")
    # The answer to /start has the next id in the bot's own box.
    await bot.delete_messages(owner, [start.id + 1])
    gone = await told(heard["deleted"])
    check(len(gone.deleted_ids) == 1, gone.stringify())
    print("read, listed, deleted")

    await person.disconnect()
    await start.respond("While you were away")
    await person.connect()
    await person.catch_up()
    missed = await told(heard["person"])
    check(missed.raw_text == "While you were away", missed.stringify())
    print("what was missed is heard")

    other = client()
    await other.connect()
    sent = await other.send_code_request(account["phone"])
    check(isinstance(sent.type, types.auth.SentCodeTypeApp), sent.stringify())
    code = await told(heard["person"])
    check(account["code"] in code.raw_text and code.sender_id == 777000, code.stringify())
    service = await code.get_sender()
    check(service.verified and service.support and service.phone == "42777", service.stringify())
    await other.sign_in(account["phone"], account["code"])
    print("777000 wrote the code")

    for telegram in (person, bot, other):
        check(await telegram.log_out() is True, "not signed out")
    print("done")


async def websites(telegram):
    answer = await telegram(functions.account.GetWebAuthorizationsRequest())
    return {row.hash for row in answer.authorizations}


async def told(queue):
    return await asyncio.wait_for(queue.get(), PATIENCE)


asyncio.run(main())
