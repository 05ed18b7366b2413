// mtcute sets a password, signs in with it, changes it, recovers it by email, removes it.

import { check, client, codeTo, refused, run, server, signIn, wrong } from "./local.mjs";

const EMAIL = "mtcute@example.com";

run(async () => {
    const first = await signedIn();
    await first.enableCloudPassword({ password: "first", hint: "the first" });
    // Without a hint mtcute could not write the request.
    const guess = { currentPassword: "wrong", newPassword: "second", hint: "" };
    await refused("PASSWORD_HASH_INVALID", first.changeCloudPassword(guess));
    console.log("a password is set");

    const second = await atThePassword("the first");
    await refused("PASSWORD_HASH_INVALID", second.checkPassword("wrong"));
    await isAccount(second.checkPassword("first"));
    console.log("signed in with the password");

    await first.changeCloudPassword({ currentPassword: "first", newPassword: "second", hint: "" });
    await refused("PASSWORD_HASH_INVALID", first.removeCloudPassword("first"));
    await first.removeCloudPassword("second");
    await refused("EMAIL_UNCONFIRMED_%d", first.enableCloudPassword({ password: "third", hint: "", email: EMAIL }));
    await first.resendPasswordEmail();
    const right = await codeTo(EMAIL);
    await refused("CODE_INVALID", first.verifyPasswordEmail(wrong(right)));
    await first.verifyPasswordEmail(right);
    console.log("the password is changed, removed and set anew with an email address");

    const third = await atThePassword(null);
    await refused("PASSWORD_HASH_INVALID", third.checkPassword("second"));
    const pattern = await third.sendRecoveryCode();
    check(pattern.endsWith("@example.com") && pattern !== EMAIL, `sent to ${pattern}`);
    const recovery = await codeTo(EMAIL);
    await refused("CODE_INVALID", third.recoverPassword({ recoveryCode: wrong(recovery) }));
    await isAccount(third.recoverPassword({ recoveryCode: recovery }));
    const { hasPassword } = await third.call({ _: "account.getPassword" });
    check(!hasPassword, "a password is left behind the recovery");
    await signedIn();
    console.log("recovered by email");
});

async function signedIn() {
    const telegram = client();
    await telegram.connect();
    await isAccount(signIn(telegram));
    return telegram;
}

/** A client whose code was right, and that has to prove that it knows the password. */
async function atThePassword(wanted) {
    const telegram = client();
    await telegram.connect();
    await refused("SESSION_PASSWORD_NEEDED", signIn(telegram), 401);
    const hint = await telegram.getPasswordHint();
    check(hint === wanted, `the hint ${hint} instead of ${wanted}`);
    return telegram;
}

async function isAccount(signIn) {
    const me = await signIn;
    check(me.id === server.accounts[0].user_id, `signed in as ${me.id}`);
}
