// mtcute signs in by code, lists web sessions, resets one, sees it gone, signs out.

import { check, client, isBound, pfs, refused, run, server } from "./local.mjs";

run(async () => {
    const telegram = client();
    await telegram.connect();
    const account = server.accounts[0];
    const { phone, code: phoneCode } = account;
    const sent = await telegram.sendCode({ phone });
    check(isBound(telegram) === pfs, pfs ? "no temporary key is bound" : "a temporary key is bound");
    console.log("key exchange and auth.sendCode");

    const { phoneCodeHash } = sent;
    const wrong = "0".repeat(phoneCode.length);
    await refused("PHONE_CODE_INVALID", telegram.signIn({ phone, phoneCodeHash, phoneCode: wrong }));
    const me = await telegram.signIn({ phone, phoneCodeHash, phoneCode });
    check(me.isSelf && !me.isBot && me.id === account.user_id, `signed in as ${me.id}`);
    console.log(`signed in as ${me.displayName}`);

    const rows = await sessions(telegram);
    const hashes = rows.map((row) => row.hash);
    const bots = rows.map((row) => row.botId);
    check(rows.length >= 5, `${rows.length} web sessions`);
    check(new Set(hashes.map(String)).size === hashes.length, `hashes ${hashes}`);
    check(hashes.some((hash) => hash.eq(4457235)), "no hash of the starting page");
    check(hashes.some((hash) => hash.isNegative()), "no negative hash");
    check(new Set(bots).size < bots.length, "no two web sessions of one bot");
    check(rows.some((row) => row.dateActive === 0), "no date_active of 0");
    check(rows.some((row) => /[^\x00-\x7f]/.test(row.region)), "no region beyond ASCII");
    check(rows.some((row) => Buffer.byteLength(row.domain) >= 254), "no domain of 254 bytes");
    console.log(`${rows.length} web sessions`);

    const hash = hashes.find((hash) => hash.isNegative());
    const answer = await telegram.call({ _: "account.resetWebAuthorization", hash });
    check(answer === true, `${answer} instead of true`);
    const left = (await sessions(telegram)).map((row) => row.hash.toString()).sort();
    const wanted = hashes.filter((other) => !other.eq(hash)).map(String).sort();
    check(left.join() === wanted.join(), `${left} after the reset of ${hash}`);
    await refused("HASH_INVALID", telegram.call({ _: "account.resetWebAuthorization", hash }));
    console.log(`${hash} reset, gone, HASH_INVALID`);

    const all = await telegram.call({ _: "account.resetWebAuthorizations" });
    check(all === true, `${all} instead of true`);
    check((await sessions(telegram)).length === 0, "web sessions after the reset of all");
    console.log("all reset");

    await telegram.logOut();
    const [signedOut] = await Promise.allSettled([telegram.getMe()]);
    check(signedOut.reason?.text === "AUTH_KEY_UNREGISTERED", `still signed in: ${signedOut.reason}`);
    await telegram.destroy();
});

/** The rows of account.getWebAuthorizations, each of its type and with its bot. */
async function sessions(telegram) {
    const answer = await telegram.call({ _: "account.getWebAuthorizations" });
    check(answer._ === "account.webAuthorizations", `${answer._} instead of the list`);
    const known = answer.users.filter((user) => user.bot).map((user) => user.id);
    for (const row of answer.authorizations) {
        check(row._ === "webAuthorization", `${row._} in the list`);
        check(known.includes(row.botId), `the bot ${row.botId} is not among the users`);
    }
    return answer.authorizations;
}
