// mtcute signs a new number up, names a mailbox for codes, comes back without a code.

import { MtUnsupportedError } from "@mtcute/node";
import { readStringSession } from "@mtcute/node/utils.js";
import { check, client, codeTo, control, refused, run, server, wrong } from "./local.mjs";

// With several data centres it lives in another one than the first that is dialled.
const HOME = server.dcs.length > 1 ? 1 : server.dc_id;
const NEW = `99966${HOME}0001`;
const MAILBOX = "mtcute@example.com";

run(async () => {
    const telegram = client();
    await telegram.connect();
    await refused("PHONE_NUMBER_INVALID", telegram.sendCode({ phone: "12" }));
    const terms = { text: "Be kind." };
    await control("PUT", `/numbers/${NEW}`, { ways: ["flash_call", "call", "sms_word"], timeout: 0, terms });
    let sent = await telegram.sendCode({ phone: NEW, codeSettings: { allowFlashcall: true } });
    const { phoneCodeHash } = sent;
    const seen = [`${sent.type}, ${sent.nextType}`];
    for (const _ of [1, 2]) {
        sent = await telegram.resendCode({ phone: NEW, phoneCodeHash });
        check(sent.phoneCodeHash === phoneCodeHash, "the hash of the code has changed");
        seen.push(`${sent.type}, ${sent.nextType}`);
    }
    const wanted = ["flash_call, call", "call, sms", "sms_word, none"];
    check(seen.join() === wanted.join(), `sent by ${seen.join("; ")}`);
    const word = await codeTo(NEW);
    check(word.startsWith(sent.beginning), `${word} does not begin with ${sent.beginning}`);
    const signIn = (phoneCode) => telegram.signIn({ phone: NEW, phoneCodeHash, phoneCode });
    await refused("PHONE_CODE_INVALID", signIn("nonsense"));
    console.log("sent by flash call, by call, by a word");

    // mtcute knows no sign-up, and says so.
    const [unknown] = await Promise.allSettled([signIn(word)]);
    check(unknown.reason instanceof MtUnsupportedError, `${unknown.reason} at an unknown number`);
    const signUp = (firstName) => telegram.call({
        _: "auth.signUp", phoneNumber: NEW, phoneCodeHash, firstName, lastName: "Chappe",
    });
    await refused("FIRSTNAME_INVALID", signUp(""));
    const { user } = await signUp("Abraham");
    check(user.firstName === "Abraham" && user.phone === NEW, `signed up as ${user.firstName}`);
    await telegram.notifyLoggedIn(user);
    const { primaryDcs } = readStringSession(await telegram.exportSession());
    check(primaryDcs.main.id === HOME, `at home in data centre ${primaryDcs.main.id}`);
    console.log("signed up");

    const { futureAuthToken } = await telegram.logOut();
    check(futureAuthToken?.length > 0, "no token for the next time");
    const back = await telegram.sendCode({ phone: NEW, futureAuthTokens: [futureAuthToken] });
    check(back.id === user.id, `back as ${back.id}`);
    console.log("back without a code");

    await control("PUT", `/numbers/${NEW}`, { set_up_email: true });
    const second = client();
    await second.connect();
    const first = await second.sendCode({ phone: NEW });
    check(first.type === "email_required", `sent by ${first.type}`);
    const purpose = {
        _: "emailVerifyPurposeLoginSetup", phoneNumber: NEW, phoneCodeHash: first.phoneCodeHash,
    };
    const mail = await second.call({ _: "account.sendVerifyEmailCode", purpose, email: MAILBOX });
    const right = await codeTo(MAILBOX);
    check(mail.emailPattern !== MAILBOX, `sent to ${mail.emailPattern}`);
    check(mail.length === right.length, `${mail.length} characters`);
    const verify = (code) => second.call({
        _: "account.verifyEmail", purpose, verification: { _: "emailVerificationCode", code },
    });
    await refused("CODE_INVALID", verify(wrong(right)));
    const { sentCode } = await verify(right);
    check(sentCode.type._ === "auth.sentCodeTypeEmailCode", `sent by ${sentCode.type._}`);
    const authorization = await second.call({
        _: "auth.signIn",
        phoneNumber: NEW,
        phoneCodeHash: sentCode.phoneCodeHash,
        emailVerification: { _: "emailVerificationCode", code: await codeTo(MAILBOX) },
    });
    check(authorization.user.id === user.id, "signed in as somebody else");
    console.log("signed in by email");

    const { phone, code: phoneCode } = server.accounts[0];
    const third = client();
    await third.connect();
    const cancelled = (await third.sendCode({ phone })).phoneCodeHash;
    await third.call({ _: "auth.cancelCode", phoneNumber: phone, phoneCodeHash: cancelled });
    const late = third.signIn({ phone, phoneCodeHash: cancelled, phoneCode });
    await refused("PHONE_CODE_EXPIRED", late);
    console.log("a cancelled code is over");
});
