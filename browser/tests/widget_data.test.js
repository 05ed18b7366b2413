// What the Login Widget hands to a site: chappe-login and the npm packages that sites use say the same.
import assert from "node:assert/strict";
import { test } from "node:test";

import { checkSignature } from "@grammyjs/validator";
import { AuthDataValidator } from "@telegram-auth/server";
import { objectToAuthDataMap } from "@telegram-auth/server/utils";

import { AWKWARD, damaged, dice } from "../names.js";
import { asking, programs } from "../processes.js";

const TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";
const OTHER_TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew12";

const seconds = () => Math.floor(Date.now() / 1000);

/** What both packages say of fields from a query. */
async function theirs(query, token) {
    const fields = Object.fromEntries(new URLSearchParams(query));
    const validator = new AuthDataValidator({ botToken: token, inValidateDataAfter: 300 });
    const telegramAuth = await validator.validate(objectToAuthDataMap(fields)).then(
        (user) => ({ user }),
        (error) => ({ error: error.message }),
    );
    return { telegramAuth, grammY: checkSignature(token, fields) };
}

const person = (name) =>
    new URLSearchParams({
        id: "4242424242",
        first_name: name,
        last_name: `${name} 2`,
        username: "ada_example",
        photo_url: "https://t.me/i/userpic/320/x.jpg?a=b&c=d",
        auth_date: String(seconds()),
    }).toString();

async function signed(check, query, token = TOKEN) {
    const { ok, error } = await check({ kind: "sign_widget", token, data: query, now: seconds() });
    assert.ok(ok, error);
    return ok.query;
}

test("What is signed here is good for @telegram-auth/server and grammY, whatever people are called", async (t) => {
    const check = asking(t, programs.check);
    for (const name of AWKWARD) {
        const query = await signed(check, person(name));
        const { telegramAuth, grammY } = await theirs(query, TOKEN);
        assert.equal(telegramAuth.user?.first_name, name, telegramAuth.error);
        assert.ok(grammY, name);
        const { ok, error } = await check({ kind: "query", token: TOKEN, data: query, now: seconds() });
        assert.equal(ok?.first_name, name, error);
    }
});

test("Somebody without last name, user name and picture is good for all three", async (t) => {
    const check = asking(t, programs.check);
    const query = await signed(check, `id=7&first_name=Ada&auth_date=${seconds()}`);
    const { telegramAuth, grammY } = await theirs(query, TOKEN);
    assert.ok(telegramAuth.user && grammY);
    const { ok } = await check({ kind: "query", token: TOKEN, data: query, now: seconds() });
    assert.equal(ok.id, 7);
});

test("Numbers of the callback's JSON count as their digits, for all three", async (t) => {
    const check = asking(t, programs.check);
    const query = await signed(check, person("Ada"));
    const user = Object.fromEntries(new URLSearchParams(query));
    user.id = Number(user.id);
    user.auth_date = Number(user.auth_date);
    const { ok, error } = await check({ kind: "json", token: TOKEN, data: JSON.stringify(user), now: seconds() });
    assert.equal(ok?.id, 4_242_424_242, error);
    const validator = new AuthDataValidator({ botToken: TOKEN });
    assert.equal((await validator.validate(objectToAuthDataMap(user))).id, 4_242_424_242);
    assert.ok(checkSignature(TOKEN, user));
});

test("Another bot's token, a changed name and an old date are refused by all three", async (t) => {
    const check = asking(t, programs.check);
    const now = seconds();
    const good = await signed(check, person("Ada"));
    const refused = async (query, token, error) => {
        const verdict = await check({ kind: "query", token, data: query, now });
        assert.equal(verdict.error, error, JSON.stringify(verdict));
        const { telegramAuth, grammY } = await theirs(query, token);
        assert.ok(telegramAuth.error);
        // grammY leaves the date to its caller.
        assert.equal(grammY, error === "Stale");
    };
    await refused(good, OTHER_TOKEN, "Hash");
    await refused(good.replace("4242424242", "4242424243"), TOKEN, "Hash");
    await refused(await signed(check, `id=7&first_name=Ada&auth_date=${now - 310}`), TOKEN, "Stale");
});

test("A thousand damaged queries: what one of them takes, all take", async (t) => {
    const check = asking(t, programs.check);
    const chance = dice(2);
    const now = seconds();
    let taken = 0;
    for (let round = 0; round < 1000; round += 1) {
        const query = damaged(await signed(check, person(chance.of(AWKWARD))), chance);
        const { ok, error } = await check({ kind: "query", token: TOKEN, data: query, now });
        const { telegramAuth, grammY } = await theirs(query, TOKEN);
        const said = `${query}: here ${error ?? "good"}, there ${JSON.stringify(telegramAuth)}, ${grammY}`;
        assert.equal(ok !== undefined, grammY, said);
        // @telegram-auth/server passes over what in the hash is no pair of hexadecimal digits.
        const odd = !/^[0-9a-f]{64}$/.test(new URLSearchParams(query).get("hash"));
        assert.ok(telegramAuth.user === undefined ? !grammY : grammY || odd, said);
        taken += grammY;
    }
    t.diagnostic(`${taken} of 1000 were still good`);
});
