// GramJS signs in by code, lists web sessions, resets one, sees it gone, signs out.
"use strict";

const { Api, check, connect, refused, run, server, signIn } = require("./local");

run(async () => {
    const client = await connect();
    check(!(await client.checkAuthorization()), "signed in before the sign-in");
    console.log("key exchange and help.getConfig");

    const me = await signIn(client);
    check(me instanceof Api.User && me.self && !me.bot, `${me} is not the account`);
    check(me.id.toString() === String(server.accounts[0].user_id), `signed in as ${me.id}`);
    console.log(`signed in as ${me.firstName}`);

    const rows = await sessions(client);
    const hashes = rows.map((row) => row.hash);
    const bots = rows.map((row) => row.botId.toString());
    check(rows.length >= 5, `${rows.length} web sessions`);
    check(new Set(hashes.map(String)).size === hashes.length, `hashes ${hashes}`);
    check(hashes.some((hash) => hash.equals(4457235)), "no hash of the starting page");
    check(hashes.some((hash) => hash.isNegative()), "no negative hash");
    check(new Set(bots).size < bots.length, "no two web sessions of one bot");
    check(rows.some((row) => row.dateActive === 0), "no date_active of 0");
    check(rows.some((row) => /[^\x00-\x7f]/.test(row.region)), "no region beyond ASCII");
    check(rows.some((row) => Buffer.byteLength(row.domain) >= 254), "no domain of 254 bytes");
    console.log(`${rows.length} web sessions`);

    const hash = hashes.find((hash) => hash.isNegative());
    const answer = await client.invoke(new Api.account.ResetWebAuthorization({ hash }));
    check(answer === true, `${answer} instead of true`);
    const left = (await sessions(client)).map((row) => row.hash.toString()).sort();
    const wanted = hashes.filter((other) => !other.equals(hash)).map(String).sort();
    check(left.join() === wanted.join(), `${left} after the reset of ${hash}`);
    await refused("HASH_INVALID", client.invoke(new Api.account.ResetWebAuthorization({ hash })));
    console.log(`${hash} reset, gone, HASH_INVALID`);

    const all = await client.invoke(new Api.account.ResetWebAuthorizations());
    check(all === true, `${all} instead of true`);
    check((await sessions(client)).length === 0, "web sessions after the reset of all");
    console.log("all reset");

    const out = await client.invoke(new Api.auth.LogOut());
    check(out instanceof Api.auth.LoggedOut, `${out} instead of auth.loggedOut`);
    check(!(await client.checkAuthorization()), "still signed in");
    await client.destroy();
});

/** The rows of account.getWebAuthorizations, each of its type and with its bot. */
async function sessions(client) {
    const answer = await client.invoke(new Api.account.GetWebAuthorizations());
    check(answer instanceof Api.account.WebAuthorizations, `${answer} instead of the list`);
    const known = answer.users.filter((user) => user.bot).map((user) => user.id.toString());
    for (const row of answer.authorizations) {
        check(row instanceof Api.WebAuthorization, `${row} in the list`);
        check(known.includes(row.botId.toString()), `the bot ${row.botId} is not among the users`);
    }
    return answer.authorizations;
}
