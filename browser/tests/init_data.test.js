// Mini App data: chappe-login and npm's @telegram-apps/init-data-node say the same.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign as signWith } from "node:crypto";
import { test } from "node:test";

import { isValid, parse, sign, validate, validate3rd } from "@telegram-apps/init-data-node";
import { validateWebAppData } from "@grammyjs/validator";

import { AWKWARD, damaged, dice } from "../names.js";
import { asking, programs } from "../processes.js";

const TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";
const OTHER_TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew12";
const DAY = 86_400;

const seconds = () => Math.floor(Date.now() / 1000);

/** A person with a name, as the Mini App of a bot gets them. */
const person = (name) => ({
    user: { id: 4_242_424_242, first_name: name, last_name: "", language_code: "en", is_premium: true },
    query_id: "AAF0",
    start_param: name,
    chat_type: "private",
    chat_instance: "8134722200314281151",
});

test("What init-data-node signs is good here, whatever people are called", async (t) => {
    const check = asking(t, programs.check);
    for (const name of AWKWARD) {
        const data = sign(person(name), TOKEN, new Date());
        const { ok, error } = await check({ kind: "init_data", token: TOKEN, data, now: seconds() });
        assert.ok(ok, `${name}: ${error}`);
        assert.equal(ok.user_id, 4_242_424_242);
        assert.equal(ok.first_name, name);
        assert.equal(ok.start_param, name);
    }
});

test("What is signed here is good for init-data-node and for grammY, and means the same", async (t) => {
    const check = asking(t, programs.check);
    for (const name of AWKWARD) {
        const fields = new URLSearchParams({
            auth_date: String(seconds()),
            query_id: "AAF0",
            start_param: name,
            user: JSON.stringify({ id: 4_242_424_242, first_name: name }),
        });
        const { ok } = await check({ kind: "sign_init_data", token: TOKEN, data: fields.toString(), now: seconds() });
        assert.doesNotThrow(() => validate(ok.query, TOKEN), name);
        assert.ok(validateWebAppData(TOKEN, new URLSearchParams(ok.query)), name);
        assert.throws(() => validate(ok.query, OTHER_TOKEN), /Sign/i);
        // Its own reader wants the field of the other signature, too.
        const read = parse(`${ok.query}&signature=none`);
        assert.equal(read.user.first_name, name);
        assert.equal(read.start_param, name);
    }
});

test("Another bot's token, a changed field and an old date are refused by both, for the same reason", async (t) => {
    const check = asking(t, programs.check);
    const now = seconds();
    const good = sign(person("Ada"), TOKEN, new Date(now * 1000));
    const old = sign(person("Ada"), TOKEN, new Date((now - DAY - 10) * 1000));
    const refused = async (data, token, error, theirs) => {
        const verdict = await check({ kind: "init_data", token, data, now });
        assert.equal(verdict.error, error, JSON.stringify(verdict));
        assert.throws(() => validate(data, token), theirs);
    };
    await refused(good, OTHER_TOKEN, "Hash", { name: "SignatureInvalidError" });
    await refused(good.replace("Ada", "Eve"), TOKEN, "Hash", { name: "SignatureInvalidError" });
    await refused(good.replace(/&hash=.*/, ""), TOKEN, "Missing", { name: "SignatureMissingError" });
    await refused(old, TOKEN, "Stale", { name: "ExpiredError" });
});

test("A thousand damaged texts: what one of both takes, the other takes", async (t) => {
    const check = asking(t, programs.check);
    const chance = dice(1);
    const now = seconds();
    let taken = 0;
    for (let round = 0; round < 1000; round += 1) {
        const good = sign(person(chance.of(AWKWARD)), TOKEN, new Date(now * 1000));
        const data = damaged(good, chance);
        const { ok, error } = await check({ kind: "init_data", token: TOKEN, data, now });
        const theirs = isValid(data, TOKEN);
        assert.equal(ok !== undefined, theirs, `${data}: here ${error ?? "good"}, there ${theirs}`);
        taken += theirs;
    }
    t.diagnostic(`${taken} of 1000 were still good`);
});

// Signed by Telegram itself (its production key): protocol.md 11.9, from the documentation of init-data-node.
const BY_TELEGRAM =
    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ";
const BOT = 7_342_037_359;
const THEN = 1_733_584_790;

test("Data that Telegram signed for third parties is good for both, and a changed one for neither", async (t) => {
    const check = asking(t, programs.check);
    const ask = (data, more) => check({ kind: "third_party", bot_id: BOT, key: "production", data, now: THEN, ...more });
    const { ok, error } = await ask(BY_TELEGRAM);
    assert.equal(ok?.first_name, "Vladislav + - ? /", error);
    await validate3rd(BY_TELEGRAM, BOT, { expiresIn: 0 });

    assert.equal((await ask(BY_TELEGRAM, { bot_id: BOT + 1 })).error, "Signature");
    await assert.rejects(validate3rd(BY_TELEGRAM, BOT + 1, { expiresIn: 0 }));
    assert.equal((await ask(BY_TELEGRAM, { key: "test" })).error, "Signature");
    await assert.rejects(validate3rd(BY_TELEGRAM, BOT, { expiresIn: 0, test: true }));
    assert.equal((await ask(BY_TELEGRAM.replace("Kibenko", "Kibenka"))).error, "Signature");
    assert.equal((await ask(BY_TELEGRAM, { now: THEN + 2 * DAY })).error, "Stale");
});

test("A signature that Node made with a key of its own is good here", async (t) => {
    const check = asking(t, programs.check);
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    for (const name of AWKWARD) {
        const fields = { auth_date: String(THEN), query_id: "AAF0", user: JSON.stringify({ id: 7, first_name: name }) };
        const lines = Object.keys(fields).sort().map((field) => `${field}=${fields[field]}`);
        const signature = signWith(null, Buffer.from(["123456:WebAppData", ...lines].join("\n")), privateKey);
        const data = new URLSearchParams({ ...fields, hash: "0".repeat(64), signature: signature.toString("base64url") });
        const ask = (data) => check({ kind: "third_party", bot_id: 123_456, key, data: `${data}`, now: THEN });
        const { ok, error } = await ask(data);
        assert.equal(ok?.first_name, name, error);
        data.set("query_id", "AAF1");
        assert.equal((await ask(data)).error, "Signature");
    }
});
