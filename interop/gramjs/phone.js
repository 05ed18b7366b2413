// GramJS signs a new number up, names a mailbox for codes, comes back without a code.
"use strict";

const {
    Api, apiHash, apiId, check, codeTo, connect, control, refused, run, server, wrong,
} = require("./local");

// With several data centres it lives in another one than the first that is dialled.
const HOME = server.dcs.length > 1 ? 1 : server.dc_id;
const NEW = `99966${HOME}0001`;
const MAILBOX = "gramjs@example.com";

run(async () => {
    const client = await connect();
    const terms = { text: "Be kind." };
    await control("PUT", `/numbers/${NEW}`, { ways: ["call", "fragment"], timeout: 0, terms });
    const phones = ["12", NEW];
    const codes = [];
    const names = [["", ""], ["Abraham", "Chappe"]];
    const errors = [];
    const me = await client.signInUser(
        { apiId, apiHash },
        {
            phoneNumber: async () => phones.shift(),
            // Then GramJS has a code that came by no SMS sent again.
            forceSMS: true,
            phoneCode: async () => {
                const right = await codeTo(NEW);
                codes.push(codes.length === 0 ? wrong(right) : right);
                return codes.at(-1);
            },
            firstAndLastNames: async () => names.shift(),
            onError: (error) => {
                errors.push(error.errorMessage ?? error.message);
                return errors.length > 3;
            },
        },
    );
    const wanted = ["PHONE_NUMBER_INVALID", "PHONE_CODE_INVALID", "First name is required"];
    check(errors.join() === wanted.join(), `the errors ${errors}`);
    const { letters } = await control("GET", `/letters?to=${NEW}`);
    check(letters.map((letter) => letter.way).join() === "call,fragment", `sent by ${letters}`);
    check(me.firstName === "Abraham" && me.lastName === "Chappe" && me.phone === NEW, `signed up as ${me}`);
    const { methods } = await control("GET", "/calls?method=help.acceptTermsOfService");
    check(methods["help.acceptTermsOfService"]?.executed === 1, "the terms are not accepted");
    check(client.session.dcId === HOME, `at home in data centre ${client.session.dcId}`);
    console.log("signed up");

    const out = await client.invoke(new Api.auth.LogOut());
    check(out.futureAuthToken?.length > 0, "no token for the next time");
    const back = await client.invoke(sendCode({ logoutTokens: [out.futureAuthToken] }));
    check(back instanceof Api.auth.SentCodeSuccess, `${back} instead of auth.sentCodeSuccess`);
    check(back.authorization.user.id.equals(me.id), "back as somebody else");
    console.log("back without a code");

    await control("PUT", `/numbers/${NEW}`, { set_up_email: true });
    const second = await connect();
    const first = await second.invoke(sendCode({}));
    check(first.type instanceof Api.auth.SentCodeTypeSetUpEmailRequired, `sent by ${first.type.className}`);
    const purpose = new Api.EmailVerifyPurposeLoginSetup({ phoneNumber: NEW, ...hashOf(first) });
    // GramJS takes the answer, which has a `length`, for an array, and fails when it goes through it.
    const ask = second.invoke(new Api.account.SendVerifyEmailCode({ purpose, email: MAILBOX }));
    const [{ reason }] = await Promise.allSettled([ask]);
    check(/not iterable/.test(reason?.message), `${reason} at the answer that has a length`);
    const right = await codeTo(MAILBOX);
    const verify = (code) => {
        const verification = new Api.EmailVerificationCode({ code });
        return second.invoke(new Api.account.VerifyEmail({ purpose, verification }));
    };
    await refused("CODE_INVALID", verify(wrong(right)));
    const verified = await verify(right);
    check(verified instanceof Api.account.EmailVerifiedLogin, `${verified} instead of the login`);
    const sent = verified.sentCode;
    check(sent.type instanceof Api.auth.SentCodeTypeEmailCode, `sent by ${sent.type.className}`);
    const emailVerification = new Api.EmailVerificationCode({ code: await codeTo(MAILBOX) });
    const { user } = await second.invoke(
        new Api.auth.SignIn({ phoneNumber: NEW, ...hashOf(sent), emailVerification }),
    );
    check(user.id.equals(me.id), "signed in as somebody else");
    console.log("signed in by email");

    const { phone: phoneNumber, code: phoneCode } = server.accounts[0];
    const third = await connect();
    const hash = hashOf(await third.sendCode({ apiId, apiHash }, phoneNumber));
    check(await third.invoke(new Api.auth.CancelCode({ phoneNumber, ...hash })), "not cancelled");
    const late = third.invoke(new Api.auth.SignIn({ phoneNumber, phoneCode, ...hash }));
    await refused("PHONE_CODE_EXPIRED", late);
    console.log("a cancelled code is over");
});

function sendCode(settings) {
    return new Api.auth.SendCode({
        phoneNumber: NEW,
        apiId,
        apiHash,
        settings: new Api.CodeSettings(settings),
    });
}

function hashOf({ phoneCodeHash }) {
    return { phoneCodeHash };
}
