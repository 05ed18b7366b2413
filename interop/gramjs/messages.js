// A person and a bot of GramJS, which speak layer 198, write to each other: buttons, and a login button.
"use strict";

const { NewMessage } = require("telegram/events");
const { CallbackQuery } = require("telegram/events/CallbackQuery");
const { EditedMessage } = require("telegram/events/EditedMessage");
const { Button } = require("telegram/tl/custom/button");
const { Api, apiHash, apiId, check, connect, refused, run, server, signIn } = require("./local");

run(async () => {
    const person = await connect();
    const bot = await connect();
    await signIn(person);
    const { token, username } = server.bots[0];
    await bot.signInBot({ apiId, apiHash }, { botAuthToken: token });
    const ofPerson = heard(person, new NewMessage({ incoming: true }));
    const edited = heard(person, new EditedMessage({}));
    const ofBot = heard(bot, new NewMessage({ incoming: true }));

    await person.sendMessage(username, { message: "/start" });
    const start = await ofBot();
    check(start.message.message === "/start", `${start.message.message} was heard`);
    const address = "https://travel.example.com/login";
    await start.message.respond({
        message: "Shall I?",
        buttons: [
            [Button.inline("Yes", Buffer.from("yes"))],
            [new Api.InputKeyboardButtonUrlAuth({ text: "Log in", url: address, bot: new Api.InputUserSelf() })],
        ],
    });
    const asked = (await ofPerson()).message;
    check(asked.message === "Shall I?" && asked.buttonCount === 2, `${asked.message} was heard`);

    const [, [login]] = asked.buttons;
    check(login.button instanceof Api.KeyboardButtonUrlAuth && login.button.url === address, `${login.button.className}`);
    await person.invoke(new Api.account.ResetWebAuthorizations());
    const peer = await person.getInputEntity(username);
    const ask = { peer, msgId: asked.id, buttonId: login.button.buttonId };
    const asks = await person.invoke(new Api.messages.RequestUrlAuth(ask));
    check(asks instanceof Api.UrlAuthResultRequest && asks.domain === "travel.example.com", asks.className);
    const elsewhere = new Api.InputKeyboardButtonUrlAuth({
        text: "Log in",
        url: "https://example.com",
        bot: new Api.InputUserSelf(),
    });
    await refused("BOT_DOMAIN_INVALID", start.message.respond({ message: "?", buttons: [[elsewhere]] }));
    console.log("a login button asks for the site of its bot");

    bot.addEventHandler(async (event) => {
        await event.answer({ message: "Done.", alert: true });
        await event.edit({ message: event.messageId, text: "I did." });
    }, new CallbackQuery({}));
    const answer = await asked.click({ data: Buffer.from("yes") });
    check(answer.message === "Done." && answer.alert, `${answer.message} was answered`);
    const changed = (await edited()).message;
    check(changed.message === "I did." && !changed.replyMarkup, `${changed.message} was changed`);
    console.log("a button asked its bot, and the message was changed");

    const texts = (await person.getMessages(username, { limit: 10 })).map(({ message }) => message);
    check(texts.join("|") === "I did.|/start", texts.join("|"));
    const dialogs = await person.getDialogs();
    check(dialogs.length === 1 && dialogs[0].unreadCount === 1, `${dialogs.length} dialogs`);

    for (const telegram of [person, bot]) {
        await telegram.invoke(new Api.auth.LogOut());
        await telegram.destroy();
    }
});

/** Keeps what a client hears of an event; what it gives waits for the next. */
function heard(client, event) {
    const events = [];
    let wake = () => {};
    client.addEventHandler((event) => {
        events.push(event);
        wake();
    }, event);
    return async () => {
        while (events.length === 0) {
            await new Promise((resolve) => {
                wake = resolve;
            });
        }
        return events.shift();
    };
}
