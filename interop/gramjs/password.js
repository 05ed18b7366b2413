// GramJS sets a password, signs in with it, changes it, recovers it by email, removes it.
"use strict";

const { Api, check, codeTo, connect, refused, run, server, signIn, wrong } = require("./local");

const EMAIL = "gramjs@example.com";

run(async () => {
    const first = await signedIn();
    await first.updateTwoFaSettings({ newPassword: "first", hint: "the first" });
    const guess = { currentPassword: "wrong", newPassword: "second" };
    await refused("PASSWORD_HASH_INVALID", first.updateTwoFaSettings(guess));
    console.log("a password is set");

    const second = await withPasswords(["wrong", "first"], "the first");
    check(second.join() === "PASSWORD_HASH_INVALID", `${second} at the password`);
    console.log("signed in with the password");

    const codes = [];
    const errors = [];
    await first.updateTwoFaSettings({
        currentPassword: "first",
        newPassword: "second",
        email: EMAIL,
        emailCodeCallback: async (length) => {
            const right = await codeTo(EMAIL);
            check(length === right.length, `asked for a code of ${length}`);
            codes.push(codes.length === 0 ? wrong(right) : right);
            return codes.at(-1);
        },
        onEmailCodeError: (error) => errors.push(error.errorMessage),
    });
    check(errors.join() === "CODE_INVALID" && codes.length === 2, `${errors} after ${codes.length} codes`);
    check((await password(first)).hasRecovery, "the email address is no way of recovery");
    console.log("the password is changed, the email address confirmed");

    const third = await connect();
    const giveUp = { onError: (error) => { throw error; } };
    await refused("PASSWORD_HASH_INVALID", signIn(third, { password: async () => "first", ...giveUp }));
    const { emailPattern } = await third.invoke(new Api.auth.RequestPasswordRecovery());
    check(emailPattern.endsWith("@example.com") && emailPattern !== EMAIL, `sent to ${emailPattern}`);
    const right = await codeTo(EMAIL);
    await refused("CODE_INVALID", third.invoke(new Api.auth.RecoverPassword({ code: wrong(right) })));
    const { user } = await third.invoke(new Api.auth.RecoverPassword({ code: right }));
    check(user.id.toString() === String(server.accounts[0].user_id), `recovered ${user.id}`);
    check(!(await password(third)).hasPassword, "a password is left behind the recovery");
    console.log("recovered by email");

    await first.updateTwoFaSettings({ newPassword: "third" });
    await first.updateTwoFaSettings({ currentPassword: "third" });
    await signedIn();
    console.log("removed");
});

async function signedIn() {
    const client = await connect();
    const me = await signIn(client);
    check(me.id.toString() === String(server.accounts[0].user_id), `signed in as ${me.id}`);
    return client;
}

/** Signs in with the last of these passwords; the errors that the others met. */
async function withPasswords(passwords, wanted) {
    const errors = [];
    const client = await connect();
    const me = await signIn(client, {
        password: async (hint) => {
            check(hint === wanted, `the hint ${hint} instead of ${wanted}`);
            return passwords.shift();
        },
        onError: (error) => {
            errors.push(error.errorMessage);
            return passwords.length === 0;
        },
    });
    check(me.id.toString() === String(server.accounts[0].user_id), `signed in as ${me.id}`);
    return errors;
}

async function password(client) {
    return client.invoke(new Api.account.GetPassword());
}
