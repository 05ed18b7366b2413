// GramJS signs in by QR code, with a password the second time, then lets somebody else in.
// Links go out as lines `qr LINK`; the password and the link of somebody else come in as lines.
"use strict";

const { Api, apiHash, apiId, check, connect, nextLine, refused, run, server } = require("./local");

run(async () => {
    const first = await connect();
    check((await scanned(first, [])) === "", "an error at the QR code");
    console.log("signed in by QR code");

    // chappe has set a password meanwhile.
    const password = await nextLine();
    const errors = await scanned(await connect(), ["another", password]);
    check(errors === "PASSWORD_HASH_INVALID", `${errors} at the password`);
    await first.updateTwoFaSettings({ currentPassword: password, newPassword: "theirs" });
    console.log("signed in by QR code and password");

    const link = await nextLine();
    const token = Buffer.from(link.replace("tg://login?token=", ""), "base64url");
    const reversed = Buffer.from(token).reverse();
    await refused("AUTH_TOKEN_INVALIDX", first.invoke(new Api.auth.AcceptLoginToken({ token: reversed })));
    const device = await first.invoke(new Api.auth.AcceptLoginToken({ token }));
    check(device instanceof Api.Authorization, `${device} instead of the new device`);
    check(device.passwordPending, "the password of the new device is not waited for");
    console.log("let somebody in");
});

/** Signs in by a link that another device scans; the errors that wrong passwords met. */
async function scanned(client, passwords) {
    const errors = [];
    const me = await client.signInUserWithQrCode(
        { apiId, apiHash },
        {
            qrCode: async ({ token }) => console.log("qr", `tg://login?token=${token.toString("base64url")}`),
            password: async () => passwords.shift(),
            onError: (error) => {
                errors.push(error.errorMessage);
                return passwords.length === 0;
            },
        },
    );
    check(me.id.toString() === String(server.accounts[0].user_id), `signed in as ${me.id}`);
    return errors.join();
}
