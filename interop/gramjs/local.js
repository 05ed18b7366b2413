// What GramJS needs to know to dial the local Telegram.
"use strict";

const { Api, TelegramClient } = require("telegram");
const network = require("telegram/network");
const { _serverKeys } = require("telegram/crypto/RSA");
const { StringSession } = require("telegram/sessions");
const program = require("../program");
const { trustOnly } = require("./trust");

const { apiHash, apiId, check, host, server } = program;

const FRAMINGS = {
    full: network.ConnectionTCPFull,
    abridged: network.ConnectionTCPAbridged,
    obfuscated: network.ConnectionTCPObfuscated,
};

trustOnly(_serverKeys, server);

// GramJS dials port 80 whatever the session says: only a connection class can name another.
class Connection extends FRAMINGS[process.argv[2] ?? "full"] {
    constructor(options) {
        const { address } = server.dcs.find(({ id }) => id === options.dcId);
        const port = Number(address.slice(address.lastIndexOf(":") + 1));
        super({ ...options, ip: host, port });
    }
}

// What a story sees at once: no second attempt, no sleep. For GramJS the way to another data centre
// is an attempt, too.
const requestRetries = server.dcs.length > 1 ? 2 : 1;
const AT_ONCE = { connectionRetries: 1, requestRetries, floodSleepThreshold: 0 };

/** The settings that lead to the local Telegram. */
function settings(others = AT_ONCE) {
    return { connection: Connection, useWSS: false, ...others };
}

/** An empty session at the address of the local Telegram. */
function emptySession() {
    const session = new StringSession("");
    // A port above 32,767 does not fit in the text form, and none is read.
    session.setDC(server.dc_id, host, 80);
    return session;
}

/** A client of the local Telegram, connected. */
async function connect(others = AT_ONCE, session = emptySession()) {
    const client = new TelegramClient(session, apiId, apiHash, settings(others));
    client.setLogLevel("warn");
    await client.connect();
    return client;
}

/** Signs the demonstration account in; more of GramJS's callbacks can be given. */
async function signIn(client, others = {}) {
    const { phone, code } = server.accounts[0];
    const giveUp = (error) => {
        throw error;
    };
    return client.signInUser(
        { apiId, apiHash },
        { phoneNumber: phone, phoneCode: async () => code, onError: giveUp, ...others },
    );
}

/** Awaits a call that must fail with a certain error of Telegram. */
async function refused(name, call, code = 400) {
    const { RPCError } = require("telegram/errors");
    let answer;
    try {
        answer = await call;
    } catch (error) {
        check(error instanceof RPCError, `${error} is no RPCError`);
        check(error.errorMessage === name && error.code === code, `${error} is not ${name}`);
        return;
    }
    throw new Error(`${name} expected, answered ${answer}`);
}

module.exports = { ...program, AT_ONCE, Api, Connection, connect, refused, settings, signIn };
