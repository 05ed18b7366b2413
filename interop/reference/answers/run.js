// Runs programs of the reference for GramJS and teleproto, unchanged, one after the other: a line of the
// standard input names a file and the stage that it plays on, a line of the standard output tells what the
// program was answered.
"use strict";

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { Script } = require("node:vm");
const bigInt = require("big-integer");
const { trustOnly } = require("../../gramjs/trust");

// How long a program may take, in milliseconds.
const DEADLINE = 60_000;

// What is called in a program that is not to be heard.
const print = console.log.bind(console);
const real = { log: console.log, error: console.error };

const packages = new Map();

/** A package whose clients go to the stage, and which notes what they ask and hear. */
function load(name) {
    if (!packages.has(name)) {
        const theirs = require(name);
        const { ConnectionTCPFull } = require(`${name}/network`);
        const { _serverKeys } = require(`${name}/crypto/RSA`);
        const { StringSession } = require(`${name}/sessions`);
        const state = { keys: _serverKeys };
        // They dial port 80 whatever the session says: only a connection class can name another.
        class Connection extends ConnectionTCPFull {
            constructor(options) {
                const { address } = state.stage.server.dcs.find(({ id }) => id === options.dcId);
                const port = Number(address.slice(address.lastIndexOf(":") + 1));
                super({ ...options, ip: "127.0.0.1", port });
            }
        }
        class StageSession extends StringSession {
            constructor() {
                super(state.stage.sessions.gramjs);
            }
        }
        class TelegramClient extends theirs.TelegramClient {
            constructor(session, apiId, apiHash, settings) {
                super(session, apiId, apiHash, {
                    ...settings,
                    baseLogger: new theirs.Logger("none"),
                    connection: Connection,
                    connectionRetries: 1,
                    floodSleepThreshold: 0,
                    requestRetries: 1,
                    useWSS: false,
                });
                state.client = this;
            }
            async invoke(request, ...rest) {
                const answer = await super.invoke(request, ...rest);
                state.asked = { request, answer };
                return answer;
            }
            async destroy() {
                await super.destroy();
                state.done();
            }
        }
        const modules = {
            [name]: { ...theirs, Api: theirs.Api, TelegramClient },
            [`${name}/sessions`]: { StringSession: StageSession },
            "big-integer": bigInt,
        };
        const layer = require(`${name}/tl`).LAYER ?? require(`${name}/tl/AllTLObjects`).LAYER;
        packages.set(name, { layer, modules, state });
    }
    return packages.get(name);
}

/** The bytes of an answer: an object, a Bool, or a vector of objects. */
function bytesOf(answer) {
    const word = (number) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(number);
        return bytes;
    };
    if (typeof answer === "boolean") return word(answer ? 0x997275b5 : 0xbc799737);
    if (Array.isArray(answer)) {
        return Buffer.concat([word(0x1cb5c415), word(answer.length), ...answer.map(bytesOf)]);
    }
    return answer.getBytes();
}

/** What a program is answered, and what it prints. */
async function outcome({ file, package: name, code, stage }) {
    const { layer, modules, state } = load(name);
    Object.assign(state, { asked: undefined, client: undefined, stage });
    trustOnly(state.keys, stage.server);
    const printed = [];
    const env = {
        BOT_STRING_SESSION: "the stage puts its own there",
        STRING_SESSION: "the stage puts its own there",
        TELEGRAM_API_HASH: stage.api_hash,
        TELEGRAM_API_ID: String(stage.api_id),
    };
    const needed = (module) => {
        if (!(module in modules)) throw new Error(`it requires ${module}, which is not ${name}`);
        return modules[module];
    };
    const script = new Script(`(require, process, console, exports) => {${code}\n}`, { filename: file });
    let timer;
    let fail;
    try {
        await new Promise((resolve, reject) => {
            state.done = resolve;
            fail = reject;
            timer = setTimeout(() => reject(new Error("it did not end")), DEADLINE);
            // The program runs in a promise that nobody holds.
            process.on("unhandledRejection", reject);
            script.runInThisContext()(needed, { env }, { log: (...words) => printed.push(words) }, {});
        });
    } catch (error) {
        const told = error.errorMessage ?? String(error.stack ?? error);
        await state.client?.destroy().catch(() => {});
        return { error: told };
    } finally {
        clearTimeout(timer);
        process.removeListener("unhandledRejection", fail);
    }
    const { request, answer } = state.asked;
    if (printed.length !== 1 || printed[0][0] !== answer) {
        return { error: `it printed ${JSON.stringify(printed)}, not its answer` };
    }
    const hex = (bytes) => Buffer.from(bytes).toString("hex");
    return { bytes: { layer, request: hex(request.getBytes()), answer: hex(bytesOf(answer)) } };
}

/** The program as JavaScript. */
function javascript(file) {
    const code = readFileSync(file, "utf8");
    if (!file.endsWith(".ts")) return code;
    const ts = require("typescript");
    const options = { esModuleInterop: true, module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    return ts.transpileModule(code, { compilerOptions: options }).outputText;
}

async function main() {
    // What the packages say by themselves is not the answer.
    console.log = console.error = console.warn = console.info = () => {};
    for await (const line of createInterface({ input: process.stdin })) {
        const order = JSON.parse(line);
        const told = await outcome({ ...order, code: javascript(order.file) }).catch((error) => ({
            error: String(error.stack),
        }));
        print(JSON.stringify(told));
    }
    process.exit(0);
}

main().catch((error) => {
    real.error(error);
    process.exit(1);
});
