// What every program for Node shares: the server's announcement, checks, and an end.
"use strict";

const { readFileSync } = require("node:fs");

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

module.exports = { apiHash, apiId, check, host, port, run, server };
