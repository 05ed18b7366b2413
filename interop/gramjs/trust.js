// The server's key in GramJS and in teleproto, which has the same table.
"use strict";

const { createHash, createPublicKey } = require("node:crypto");
const bigInt = require("big-integer");

/** Makes the key of an announced server the only one in the table, `_serverKeys` of `crypto/RSA`. */
function trustOnly(keys, server) {
    const jwk = createPublicKey(server.rsa_public_key_pem).export({ format: "jwk" });
    const [n, e] = [jwk.n, jwk.e].map((part) => Buffer.from(part, "base64url"));
    const digest = createHash("sha1").update(tlBytes(n)).update(tlBytes(e)).digest();
    const fingerprint = digest.readBigInt64LE(12);
    const hex = BigInt.asUintN(64, fingerprint).toString(16).padStart(16, "0");
    if (hex !== server.rsa_fingerprint) {
        throw new Error(`fingerprint ${hex}, not ${server.rsa_fingerprint}`);
    }
    keys.clear();
    keys.set(fingerprint.toString(), {
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

module.exports = { trustOnly };
