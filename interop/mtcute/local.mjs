// What mtcute needs to know to dial the local Telegram.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
    IntermediatePacketCodec,
    MemoryStorage,
    ObfuscatedPacketCodec,
    PaddedIntermediatePacketCodec,
    TcpTransport,
    TelegramClient,
    tl,
} from "@mtcute/node";
import { NodeCryptoProvider, addPublicKey } from "@mtcute/node/utils.js";
import program from "../program.js";

export const { check, codeTo, control, nextLine, run, server, wrong } = program;
const { apiHash, apiId, host, port } = program;

const FRAMINGS = {
    intermediate: () => new IntermediatePacketCodec(),
    pfs: () => new IntermediatePacketCodec(),
    padded: () => new PaddedIntermediatePacketCodec(),
    obfuscated: () => new ObfuscatedPacketCodec(new IntermediatePacketCodec()),
};

const [framing] = process.argv.slice(2);

/** Whether the permanent key is only used to bind temporary ones. */
export const pfs = framing === "pfs";

await trustOnly(server.rsa_public_key_pem);

// What a story sees at once: no second attempt, no sleep.
const AT_ONCE = { middlewares: [] };

/** A client of the local Telegram, not connected. */
export function client(network = AT_ONCE, storage = new MemoryStorage()) {
    const transport = new TcpTransport();
    transport.packetCodec = FRAMINGS[framing];
    const dc = { id: server.dc_id, ipAddress: host, port };
    return new TelegramClient({
        apiId,
        apiHash,
        storage,
        defaultDcs: { main: dc, media: dc },
        transport,
        logLevel: 2,
        network: { usePfs: pfs, ...network },
    });
}

/** Whether a client has bound a temporary key. */
export function isBound(client) {
    return client.storage.provider.authKeys.getTemp(server.dc_id, 0, Date.now()) !== null;
}

/** Signs the demonstration account in. */
export async function signIn(client) {
    const { phone, code } = server.accounts[0];
    const sent = await client.sendCode({ phone });
    return client.signIn({ phone, phoneCodeHash: sent.phoneCodeHash, phoneCode: code });
}

/** Awaits a call that must fail with a certain error of Telegram. */
export async function refused(name, call, code = 400) {
    let answer;
    try {
        answer = await call;
    } catch (error) {
        check(error instanceof tl.RpcError, `${error} is no RpcError`);
        check(error.text === name && error.code === code, `${error} is not ${name}`);
        return;
    }
    throw new Error(`${name} expected, answered ${JSON.stringify(answer)}`);
}

/** Makes the server's key the only one that mtcute accepts. */
async function trustOnly(pem) {
    // The table of keys is no part of what the package exports.
    const core = dirname(createRequire(import.meta.url).resolve("@mtcute/core/utils.js"));
    const { __publicKeyIndex: keys } = await import(pathToFileURL(join(core, "tl/binary/rsa-keys.js")));
    for (const fingerprint of Object.keys(keys)) {
        delete keys[fingerprint];
    }
    addPublicKey(new NodeCryptoProvider(), pem);
    const [fingerprint] = Object.keys(keys);
    check(fingerprint === server.rsa_fingerprint, `fingerprint ${fingerprint}, not ${server.rsa_fingerprint}`);
}
