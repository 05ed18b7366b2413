// Loaded in front of each program: no socket of this process may leave the machine.
"use strict";

const net = require("node:net");
const dns = require("node:dns");

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
    const [options] = Array.isArray(given[0]) ? given[0] : given;
    const { host, path } =
        typeof options === "object" ? options : { host: typeof given[1] === "string" ? given[1] : "" };
    if (path === undefined && host !== "127.0.0.1" && host !== "::1") {
        refuse(`a connection to ${host || "a default host"}`);
    }
    return connect.apply(this, given);
};

for (const name of ["lookup", "resolve", "resolve4", "resolve6"]) {
    const original = dns[name];
    dns[name] = function (host, ...rest) {
        if (net.isIP(host) === 0) {
            refuse(`the name ${host}`);
        }
        return original.call(this, host, ...rest);
    };
}

function refuse(what) {
    console.error(`${what} refused: only loopback`);
    process.exit(3);
}
