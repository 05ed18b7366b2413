// What every program for Node shares: the server's announcement, checks, and an end.
"use strict";

const { readFileSync } = require("node:fs");
const { request } = require("node:http");
const { createInterface } = require("node:readline");

const server = JSON.parse(readFileSync(process.env.CHAPPE_ANNOUNCEMENT, "utf8"));
const colon = server.address.lastIndexOf(":");
const host = server.address.slice(0, colon);
const port = Number(server.address.slice(colon + 1));

const apiId = 12345;
const apiHash = "0".repeat(32);

function check(truth, complaint) {
    if (!truth) {
        throw new Error(complaint);
    }
}

/** Asks the server's control port. */
async function control(method, path, body) {
    const text = await new Promise((resolve, reject) => {
        const asking = request(server.control + path, { method }, async (answer) => {
            resolve(Buffer.concat(await answer.toArray()).toString());
        });
        asking.on("error", reject);
        asking.end(body && JSON.stringify(body));
    });
    return JSON.parse(text);
}

/** The code in the last letter that the server sent to a phone number or a mailbox. */
async function codeTo(recipient) {
    const { letters } = await control("GET", `/letters?to=${recipient}`);
    check(letters.length > 0, `nothing was sent to ${recipient}`);
    return letters.at(-1).code;
}

/** Another code of the same form. */
function wrong(code) {
    return code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);
}

let lines;

/** The next line of the standard input. */
async function nextLine() {
    lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const { done, value } = await lines.next();
    check(!done, "the standard input ended");
    return value;
}

/** Makes one call for each line `NUMBER CALL` of the standard input; tells how each ended as JSON. */
async function obey(call, describe) {
    const tell = (what) => console.log(JSON.stringify(what));
    tell({ number: "0" });
    for await (const line of createInterface({ input: process.stdin })) {
        const [number, name] = line.split(" ");
        call(name).then(
            () => tell({ number }),
            (error) => tell({ number, error: describe(error) }),
        );
    }
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
    apiHash, apiId, check, codeTo, control, host, nextLine, obey, port, run, server, wrong,
};
