// Two converters that know nothing of each other: what @mtcute/convert writes is read by chappe, and
// what chappe writes is read by @mtcute/convert. Nothing here needs a server.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
    DC_MAPPING_PROD,
    convertFromGramjsSession,
    convertFromMtkrutoSession,
    convertFromPyrogramSession,
    convertFromTdata,
    convertFromTelethonSession,
    convertToGramjsSession,
    convertToMtkrutoSession,
    convertToPyrogramSession,
    convertToTdata,
    convertToTelethonSession,
} from "@mtcute/convert";
import { readStringSession, writeStringSession } from "@mtcute/node/utils.js";
import { check, run } from "./local.mjs";

const folder = process.env.HOME;
const API_ID = 12345;

const session = {
    version: 3,
    primaryDcs: DC_MAPPING_PROD[4],
    authKey: new Uint8Array(randomBytes(256)),
    self: { userId: 777_000_123_456, isBot: false, isPremium: false, usernames: [] },
};
// What RLE is about.
session.authKey.fill(0, 16, 48);

// What each format says besides data centre and key.
const FORMATS = {
    telethon: { to: convertToTelethonSession, from: convertFromTelethonSession, says: "address" },
    gramjs: { to: convertToGramjsSession, from: convertFromGramjsSession, says: "address" },
    pyrogram: {
        to: (session) => convertToPyrogramSession(session, { apiId: API_ID }),
        from: convertFromPyrogramSession,
        says: "user",
    },
    "pyrogram, older": { to: convertToPyrogramSession, from: convertFromPyrogramSession, says: "user" },
    mtkruto: { to: convertToMtkrutoSession, from: convertFromMtkrutoSession, says: "" },
    mtcute: { to: writeStringSession, from: readStringSession, says: "address and user" },
};

run(async () => {
    for (const [name, { to, from, says }] of Object.entries(FORMATS)) {
        const [format, older] = name.split(", ");
        const theirs = kept("theirs", to(session));
        same(name, readStringSession(converted(theirs, "--format", format)), says);
        // Without a word about the format, too: it is guessed.
        same(name, readStringSession(converted(theirs)), says);

        const file = kept("session", writeStringSession(session));
        const more = older ? ["--older"] : ["--api-id", String(API_ID)];
        const ours = chappe("session", "convert", file, "--to", format, "--reveal", ...more);
        same(name, from(ours), says);
        console.log(`${name}: both ways`);
    }
    for (const passcode of [undefined, "correct horse"]) {
        const theirs = join(folder, `theirs-${passcode !== undefined}`);
        mkdirSync(theirs);
        await convertToTdata([session], { path: theirs, passcode });
        const given = passcode === undefined ? [] : ["--passcode-file", kept("passcode", passcode)];
        same("tdata", readStringSession(converted(theirs, ...given)), "user");
        console.log(`tdata ${passcode === undefined ? "without" : "with"} a passcode: read by chappe`);
    }
    const ours = join(folder, "ours");
    const file = kept("session", writeStringSession(session));
    chappe("session", "convert", file, "--to", "tdata", "--output", ours);
    same("tdata", await convertFromTdata({ path: ours }), "user");
    console.log("tdata: written by chappe");
});

/** A file with this text. */
function kept(name, text) {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
}

/** The session of this program turned into mtcute's by chappe. */
function converted(file, ...more) {
    const who = ["--user-id", String(session.self.userId)];
    return chappe("session", "convert", file, "--to", "mtcute", "--reveal", ...who, ...more);
}

/** What the command prints; it knows of no server. */
function chappe(...words) {
    const settings = { env: { HOME: folder }, encoding: "utf8", stdio: "pipe" };
    return execFileSync(process.env.CHAPPE_BIN, words, settings).trim();
}

/** Checks that a session was read as it was written, as far as its format goes. */
function same(format, read, says) {
    check(Buffer.compare(read.authKey, session.authKey) === 0, `${format}: another key`);
    check(read.primaryDcs.main.id === session.primaryDcs.main.id, `${format}: another data centre`);
    if (says.includes("address")) {
        const { ipAddress, port } = read.primaryDcs.main;
        const wanted = session.primaryDcs.main;
        check(ipAddress === wanted.ipAddress && port === wanted.port, `${format}: ${ipAddress}:${port}`);
    }
    if (says.includes("user")) {
        check(read.self.userId === session.self.userId, `${format}: the user ${read.self.userId}`);
    }
}
