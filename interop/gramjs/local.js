// What GramJS needs to know to dial the local Telegram.
"use strict";

const { createHash, createPublicKey } = require("node:crypto");
const { readFileSync } = require("node:fs");
const bigInt = require("big-integer");
const { Api, TelegramClient } = require("telegram");
const network = require("telegram/network");
const { _serverKeys } = require("telegram/crypto/RSA");
const { StringSession } = require("telegram/sessions");

const FRAMINGS = {
    full: network.ConnectionTCPFull,
    abridged: network.ConnectionTCPAbridged,
    obfuscated: network.ConnectionTCPObfuscated,
};

const server = JSON.parse(readFileSync(process.env.CHAPPE_ANNOUNCEMENT, "utf8"));
const colon = server.address.lastIndexOf(":");
const host = server.address.slice(0, colon);
const port = Number(server.address.slice(colon + 1));

const apiId = 12345;
const apiHash = "0".repeat(32);

trustOnly(server.rsa_public_key_pem);

// GramJS dials port 80 whatever the session says: only a connection class can name another.
class Connection extends FRAMINGS[process.argv[2] ?? "full"] {
    constructor(options) {
        super({ ...options, ip: host, port });
    }
}

/** The settings that lead to the local Telegram. */
function settings() {
    return { connection: Connection, useWSS: false, connectionRetries: 1, requestRetries: 1, floodSleepThreshold: 0 };
}

/** An empty session at the address of the local Telegram. */
function emptySession() {
    const session = new StringSession("");
    // A port above 32,767 does not fit in the text form, and none is read.
    session.setDC(server.dc_id, host, 80);
    return session;
}

/** A client of the local Telegram, connected. */
async function connect() {
    const client = new TelegramClient(emptySession(), apiId, apiHash, settings());
    client.setLogLevel("warn");
    await client.connect();
    return client;
}

/** Signs the demonstration account in. */
async function signIn(client) {
    const { phone, code } = server.accounts[0];
    const giveUp = (error) => {
        throw error;
    };
    return client.signInUser(
        { apiId, apiHash },
        { phoneNumber: phone, phoneCode: async () => code, onError: giveUp },
    );
}

/** Makes the server's key the only one that GramJS accepts. */
function trustOnly(pem) {
    const jwk = createPublicKey(pem).export({ format: "jwk" });
    const [n, e] = [jwk.n, jwk.e].map((part) => Buffer.from(part, "base64url"));
    const digest = createHash("sha1").update(tlBytes(n)).update(tlBytes(e)).digest();
    const fingerprint = digest.readBigInt64LE(12);
    const hex = BigInt.asUintN(64, fingerprint).toString(16).padStart(16, "0");
    check(hex === server.rsa_fingerprint, `fingerprint ${hex}, not ${server.rsa_fingerprint}`);
    _serverKeys.clear();
    _serverKeys.set(fingerprint.toString(), {
        fingerprint: bigInt(fingerprint.toString()),
        n: bigInt(n.toString("hex"), 16),
        e: Number(BigInt(`0x${e.toString("hex")}`)),
    });
}

/** A TL `bytes`. */
function tlBytes(bytes) {
    const length = bytes.length;
    const head = length < 254 ? [length] : [254, length & 255, (length >> 8) & 255, length >> 16];
    const filled = Buffer.concat([Buffer.from(head), bytes]);
    return Buffer.concat([filled, Buffer.alloc((4 - (filled.length % 4)) % 4)]);
}

function check(truth, complaint) {
    if (!truth) {
        throw new Error(complaint);
    }
}

/** Awaits a call that must fail with a certain error of Telegram, code 400. */
async function refused(name, call) {
    const { RPCError } = require("telegram/errors");
    let answer;
    try {
        answer = await call;
    } catch (error) {
        check(error instanceof RPCError, `${error} is no RPCError`);
        check(error.errorMessage === name && error.code === 400, `${error} is not ${name}`);
        return;
    }
    throw new Error(`${name} expected, answered ${answer}`);
}

/** Runs a program to its end; its sockets and timers do not outlive it. */
function run(program) {
    program().then(
        () => {
            console.log("done");
            process.exit(0);
        },
        (error) => {
            console.error(error);
            process.exit(1);
        },
    );
}

module.exports = {
    Api, Connection, apiHash, apiId, check, connect, refused, run, server, settings, signIn,
};
