// Session strings written by GramJS 2.26.22, mtcute 0.30.3 and @mtcute/convert 0.29.7 themselves, from fixed values.
// README.md says how to run it: packages are looked for in the working directory.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, mkdirSync, rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import * as fsp from "node:fs/promises";
const require = createRequire(process.cwd() + "/x.js");
const imp = async (p) => import(pathToFileURL(p));
const root = process.cwd() + "/node_modules/";
const out = new URL(".", import.meta.url).pathname;
const { keys } = JSON.parse(readFileSync(out + "python.json", "utf8"));
const V = [];
const add = (name, library, text, what) => V.push({ name, library, text, ...what });

const { StringSession, StoreSession } = require("telegram/sessions");
const { AuthKey } = require("telegram/crypto/AuthKey");
for (const [kn, hex] of Object.entries(keys)) {
  for (const [dc, address, port] of [[2, "149.154.167.51", 443], [4, "2001:67c:4e8:f004:0000:0000:0000:000a", 443], [2, "vesta.web.telegram.org", 443], [2, "127.0.0.1", 32767]]) {
    const s = new StringSession(""); s.setDC(dc, address, port);
    const k = new AuthKey(); await k.setKey(Buffer.from(hex, "hex")); s.setAuthKey(k, dc);
    await s.load(); s.setDC(dc, address, port); s.setAuthKey(k, dc);
    add(`gramjs string ${kn} ${address}:${port}`, "GramJS telegram 2.26.22", s.save(), { format: "gramjs", dc, address, port, key: kn });
  }
}
// 255 bytes: GramJS drops the leading zero of a key (once)
{
  const s = new StringSession(""); s.setDC(2, "149.154.167.51", 443); const k = new AuthKey();
  await k.setKey(Buffer.from(keys["key-count"], "hex").subarray(1)); await s.load(); s.setDC(2, "149.154.167.51", 443); s.setAuthKey(k, 2);
  add("gramjs string of a key that lost its leading zero (255 bytes)", "GramJS telegram 2.26.22", s.save(), { format: "gramjs", dc: 2, address: "149.154.167.51", port: 443, key: "key-count" });
}
const { writeStringSession, readStringSession } = await imp(root + "@mtcute/core/utils.js");
const self = (id, bot) => ({ userId: id, isBot: bot, isPremium: false, usernames: [] });
const { DC_MAPPING_PROD, DC_MAPPING_TEST, ...C } = await imp(root + "@mtcute/convert/index.js");
for (const [kn, hex] of Object.entries(keys)) {
  const authKey = new Uint8Array(Buffer.from(hex, "hex"));
  const main = { id: 2, ipAddress: "149.154.167.41", port: 443 };
  for (const [n, primaryDcs, me] of [
    ["dc2 prod, main only, no self", { main, media: main }, null],
    ["dc2 prod, main and media, self", { main, media: { id: 2, ipAddress: "149.154.167.35", port: 443, mediaOnly: true } }, self(777000123456, false)],
    ["dc1 test ipv6, bot", (() => { const d = { id: 1, ipAddress: "2001:b28:f23d:f001::e", port: 443, ipv6: true, testMode: true }; return { main: d, media: d }; })(), self(5000000001, true)],
    ["loopback", (() => { const d = { id: 2, ipAddress: "127.0.0.1", port: 65535 }; return { main: d, media: d }; })(), self(5000000001, false)],
  ]) {
    const s = { version: 3, primaryDcs, self: me, authKey };
    const text = writeStringSession(s);
    add(`mtcute v3 string ${kn}: ${n}`, "@mtcute/core 0.30.3", text, { format: "mtcute", dc: primaryDcs.main.id, address: primaryDcs.main.ipAddress, port: primaryDcs.main.port, test: !!primaryDcs.main.testMode, user_id: me?.userId ?? null, bot: me?.isBot ?? null, key: kn });
    const lib = "@mtcute/convert 0.29.7";
    const what = { dc: primaryDcs.main.id, test: !!primaryDcs.main.testMode, user_id: me?.userId ?? null, bot: me?.isBot ?? null, key: kn };
    const addr = { address: primaryDcs.main.ipAddress, port: primaryDcs.main.port };
    add(`convert to telethon ${kn}: ${n}`, lib, C.convertToTelethonSession(text), { format: "telethon", dc: what.dc, key: kn, ...addr });
    add(`convert to gramjs ${kn}: ${n}`, lib, C.convertToGramjsSession(text), { format: "gramjs", dc: what.dc, key: kn, ...addr });
    add(`convert to pyrogram with api id ${kn}: ${n}`, lib, C.convertToPyrogramSession(text, { apiId: 12345 }), { format: "pyrogram", api_id: 12345, ...what });
    add(`convert to pyrogram without api id (356) ${kn}: ${n}`, lib, C.convertToPyrogramSession(text), { format: "pyrogram", ...what });
    add(`convert to mtkruto ${kn}: ${n}`, lib, C.convertToMtkrutoSession(text), { format: "mtkruto", dc: what.dc, test: what.test, key: kn });
  }
}
// mtcute's versions 1 and 2, by a release that still wrote them, in another folder.
{
  const old = process.env.OLD_MTCUTE + "/";
  const { writeStringSession: write } = await imp(old + "node_modules/@mtcute/core/esm/utils/string-session.js");
  const { __tlWriterMap } = createRequire(old)("@mtcute/tl/binary/writer.js");
  for (const [kn, hex] of Object.entries(keys)) for (const version of [1, 2]) for (const [n, main, testMode, me] of [
    ["main only, no self", { id: 2, ipAddress: "149.154.167.51", port: 443 }, false, null],
    ["self", { id: 4, ipAddress: "149.154.167.91", port: 443 }, false, { userId: 777000123456, isBot: false }],
    ["test, ipv6, bot", { id: 1, ipAddress: "2001:b28:f23d:f001::e", port: 443, ipv6: true }, true, { userId: 5000000001, isBot: true }],
  ]) {
    const option = { _: "dcOption", ...main };
    const media = version === 2 && me ? { ...option, mediaOnly: true } : option;
    const text = write(__tlWriterMap, { version, testMode, primaryDcs: { main: option, media }, self: me, authKey: Buffer.from(hex, "hex") });
    add(`mtcute v${version} string ${kn}: ${n}`, "@mtcute/core 0.2.0", text, { format: "mtcute", dc: main.id, address: main.ipAddress, port: main.port, test: testMode, user_id: me?.userId ?? null, bot: me?.isBot ?? null, key: kn });
  }
}
// tdata, with and without passcode, one and two accounts
for (const [folder, passcode] of [["tdata-plain", undefined], ["tdata-passcode", "correct horse"]]) {
  rmSync(out + folder, { recursive: true, force: true }); mkdirSync(out + folder);
  const accounts = Object.values(keys).map((hex, i) => ({ version: 3, primaryDcs: { main: { id: 2 + 2 * i, ipAddress: "149.154.167.41", port: 443 } }, self: self(777000123456 + i, false), authKey: new Uint8Array(Buffer.from(hex, "hex")) }));
  await C.convertToTdata(accounts, { path: out + folder, ...(passcode ? { passcode } : {}) });
  const t = await C.Tdata.open({ path: out + folder, ...(passcode ? { passcode } : {}) });
  for (const i of [0, 1]) {
    const a = await t.readMtpAuthorization(i);
    if (Buffer.compare(Buffer.from(a.authKeys[0].key), Buffer.from(accounts[i].authKey))) throw new Error("tdata");
  }
  V.push({ name: folder, library: "@mtcute/convert 0.29.7", folder, passcode: passcode ?? null, accounts: accounts.map((a, i) => ({ dc: a.primaryDcs.main.id, user_id: a.self.userId, key: Object.keys(keys)[i] })) });
}
writeFileSync(out + "node.json", JSON.stringify({ keys, vectors: V }, null, 1));
