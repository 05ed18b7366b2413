// mtcute signs in by QR code, with a password the second time, then lets somebody else in.
// Links go out as lines `qr LINK`; the password and the link of somebody else come in as lines.

import { check, client, nextLine, refused, run, server } from "./local.mjs";

run(async () => {
    const first = client();
    await first.connect();
    await scanned(first, []);
    console.log("signed in by QR code");

    // chappe has set a password meanwhile.
    const password = await nextLine();
    const second = client();
    await second.connect();
    const passwords = ["another", password];
    await scanned(second, passwords);
    check(passwords.length === 0, "the password was not asked for");
    const change = { currentPassword: password, newPassword: "theirs", hint: "" };
    await first.changeCloudPassword(change);
    console.log("signed in by QR code and password");

    const link = await nextLine();
    const token = new Uint8Array(Buffer.from(link.replace("tg://login?token=", ""), "base64url"));
    const accept = (token) => first.call({ _: "auth.acceptLoginToken", token });
    await refused("AUTH_TOKEN_INVALIDX", accept(token.toReversed()));
    const device = await accept(token);
    check(device._ === "authorization", `${device._} instead of the new device`);
    check(device.passwordPending, "the password of the new device is not waited for");
    console.log("let somebody in");
});

/** Signs in by a link that another device scans, with the last of these passwords if need be. */
async function scanned(client, passwords) {
    let updates = 0;
    const me = await client.signInQr({
        onUrlUpdated: (link) => console.log("qr", link),
        onQrScanned: () => (updates += 1),
        password: async () => passwords.shift(),
        invalidPasswordCallback: () => {},
    });
    check(updates === 1, `${updates} updates said that the link was scanned`);
    check(me.id === server.accounts[0].user_id, `signed in as ${me.id}`);
}
