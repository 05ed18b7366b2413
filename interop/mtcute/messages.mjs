// A person and a bot of mtcute, which speak layer 227, write to each other: buttons, and a login button.

import { BotKeyboard } from "@mtcute/node";
import { check, client, refused, run, server, signIn } from "./local.mjs";

run(async () => {
    const person = client();
    const bot = client();
    await person.connect();
    await bot.connect();
    await signIn(person);
    const { token, username } = server.bots[0];
    await bot.signInBot(token);
    for (const telegram of [person, bot]) {
        await telegram.startUpdatesLoop();
    }
    const ofPerson = heard(person.onNewMessage, (message) => !message.isOutgoing);
    const ofBot = heard(bot.onNewMessage, (message) => !message.isOutgoing);
    const edited = heard(person.onEditMessage);

    await person.sendText(username, "/start");
    const start = await ofBot();
    check(start.text === "/start", `${start.text} was heard`);
    const buttons = BotKeyboard.inline([[BotKeyboard.callback("Yes", "yes")]]);
    await bot.answerText(start, "Shall I?", { replyMarkup: buttons });
    const asked = await ofPerson();
    check(asked.text === "Shall I?" && asked.markup?.buttons.length === 1, `${asked.text} was heard`);
    // mtcute now and then tells what it received once twice.
    const answered = new Set();
    bot.onCallbackQuery.add(async (query) => {
        if (answered.has(`${query.id}`)) {
            return;
        }
        answered.add(`${query.id}`);
        await bot.answerCallbackQuery(query, { text: "Done.", alert: true });
        await bot.editMessage({ chatId: query.user.id, message: query.messageId, text: "I did." });
    });
    const data = new TextEncoder().encode("yes");
    const peer = await person.resolvePeer(username);
    const press = { _: "messages.getBotCallbackAnswer", peer, msgId: asked.id, data };
    const answer = await person.call(press);
    check(answer.message === "Done." && answer.alert, `${answer.message} was answered`);
    const changed = await edited();
    check(changed.text === "I did." && changed.markup === null, `${changed.text} was changed`);
    await refused("DATA_INVALID", person.call(press));
    console.log("a button asked its bot, and the message was changed");

    const address = "https://travel.example.com/login";
    const login = (url) => BotKeyboard.inline([[BotKeyboard.urlAuth("Log in", url)]]);
    await bot.answerText(start, "Log in?", { replyMarkup: login(address) });
    const [[button]] = (await ofPerson()).markup.buttons;
    check(button._ === "keyboardButtonUrlAuth" && button.url === address, JSON.stringify(button));
    await refused("BOT_DOMAIN_INVALID", bot.answerText(start, "?", { replyMarkup: login("https://example.com") }));
    console.log("a login button is one of the site of its bot");

    const texts = (await person.getHistory(username)).map(({ text }) => text);
    check(texts.join("|") === "Log in?|I did.|/start", texts.join("|"));

    for (const telegram of [person, bot]) {
        await telegram.logOut();
        await telegram.destroy();
    }
});

/** Keeps what an emitter tells; what it gives waits for the next. */
function heard(emitter, wanted = () => true) {
    const events = [];
    let wake = () => {};
    emitter.add((event) => {
        if (wanted(event)) {
            events.push(event);
            wake();
        }
    });
    return async () => {
        while (events.length === 0) {
            await new Promise((resolve) => {
                wake = resolve;
            });
        }
        return events.shift();
    };
}
