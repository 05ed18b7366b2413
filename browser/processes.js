// Processes of this repository: the local Telegram, the example site, the command, the checker.
//
// Each has deadlines, sees nothing of this machine's environment but what it is given, and ends
// with the test that started it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { atEnd } from "./end.js";

const START_LIMIT = 60_000;
const COMMAND_LIMIT = 60_000;
const STOP_LIMIT = 10_000;

/** The programs of this repository, as `run.sh` has built them. */
export const programs = {
    chappe: process.env.CHAPPE_BIN ?? "chappe",
    site: process.env.CHAPPE_SITE_BIN ?? "chappe-site",
    reference: process.env.CHAPPE_REFERENCE_BIN ?? "chappe-reference",
    check: join(process.env.CHAPPE_LOGIN_EXAMPLES ?? "", "check"),
    oidc: join(process.env.CHAPPE_LOGIN_EXAMPLES ?? "", "oidc"),
};

const running = new Set();
// Also when the runner's own deadline ends this process.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => process.exit(1));
}

/** A folder that ends with the test. */
export function folder(t) {
    const path = mkdtempSync(join(tmpdir(), "chappe-browser-"));
    atEnd(t, () => rmSync(path, { recursive: true, force: true }));
    return path;
}

function environment(more) {
    const kept = Object.fromEntries(["PATH", "LANG"].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
    return { ...kept, HOME: tmpdir(), ...more };
}

/** A program that runs until the test ends, and whose lines can be waited for. */
export class Running {
    lines = [];
    errors = "";
    #waiting = [];

    constructor(t, program, args, env = {}) {
        this.name = program.split("/").at(-1);
        this.child = spawn(program, args, { env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
        running.add(this.child);
        this.child.on("error", (error) => (this.errors += `${error.message}\n`));
        this.ended = new Promise((resolve) => {
            this.child.on("close", (code, signal) => {
                running.delete(this.child);
                this.code = code ?? signal;
                this.#wake();
                resolve(this.code);
            });
        });
        this.child.stdin.on("error", () => {});
        this.child.stderr.on("data", (bytes) => (this.errors += bytes));
        createInterface({ input: this.child.stdout }).on("line", (line) => {
            this.lines.push(line);
            this.#wake();
        });
        atEnd(t, () => this.stop());
    }

    #wake() {
        this.#waiting.splice(0).forEach((wake) => wake());
    }

    /** The first line that `wanted` says yes to; those said already count. */
    async line(wanted = () => true) {
        const late = Date.now() + START_LIMIT;
        for (;;) {
            const found = this.lines.find(wanted);
            if (found !== undefined) {
                return found;
            }
            await this.more(late - Date.now());
        }
    }

    /** Waits until it says another line. */
    async more(limit = START_LIMIT) {
        let timer;
        if (this.code === undefined) {
            await new Promise((resolve) => {
                this.#waiting.push(resolve);
                timer = setTimeout(resolve, limit, "late");
            }).then((late) => {
                if (late) {
                    throw new Error(`${this.name} says nothing: ${this.said()}`);
                }
            });
            clearTimeout(timer);
        } else {
            throw new Error(`${this.name} ended with ${this.code}: ${this.said()}`);
        }
    }

    said() {
        return `${this.lines.slice(-20).join("\n")}\n${this.errors.slice(-4000)}`;
    }

    /** Ends it; that it ended before by itself, or panicked, is an error. */
    async stop() {
        const early = this.code;
        this.child.kill("SIGTERM");
        const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_LIMIT);
        await this.ended;
        clearTimeout(timer);
        if (early !== undefined) {
            throw new Error(`${this.name} ended by itself with ${early}: ${this.said()}`);
        }
        if (this.errors.includes("panicked")) {
            throw new Error(`${this.name} panicked: ${this.said()}`);
        }
    }
}

/** Runs a program to its end: its exit code and what it said. */
export async function finished(program, args, { env = {}, given = "", limit = COMMAND_LIMIT } = {}) {
    const child = spawn(program, args, { env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
    running.add(child);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (bytes) => (stdout += bytes));
    child.stderr.on("data", (bytes) => (stderr += bytes));
    child.stdin.on("error", () => {});
    child.stdin.end(given);
    const timer = setTimeout(() => child.kill("SIGKILL"), limit);
    const code = await new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => resolve(code ?? signal));
    });
    clearTimeout(timer);
    running.delete(child);
    return { code, stdout, stderr };
}

/** A local Telegram of its own, in memory, with all that a browser can see. */
export async function telegram(t, ...options) {
    const server = new Running(t, programs.chappe, [
        "serve", "--json", "--listen", "127.0.0.1:0", "--control", "--web", "--dashboard", ...options,
    ]);
    const announcement = JSON.parse(await server.line());
    const control = async (method, path, body) => {
        const answer = await fetch(announcement.control + path, {
            method,
            body: body && JSON.stringify(body),
            signal: AbortSignal.timeout(COMMAND_LIMIT),
        });
        const json = await answer.json();
        if (!answer.ok) {
            throw new Error(`${method} ${path}: ${json.error}: ${json.hint}`);
        }
        return json;
    };
    return {
        ...announcement,
        process: server,
        control,
        passTime: (seconds) => control("POST", "/do/pass-time", { seconds }),
    };
}

/** The command, with a home of its own, signed in as one of the server's accounts. */
export async function command(t, server, account = server.accounts[0]) {
    const home = folder(t);
    const key = join(home, "server.pem");
    writeFileSync(key, server.rsa_public_key_pem);
    const env = { HOME: home, CHAPPE_SERVER: server.address, CHAPPE_SERVER_KEY: key };
    const run = (...args) => finished(programs.chappe, ["--json", ...args.map(String)], { env });
    const say = async (...args) => {
        const { code, stdout, stderr } = await run(...args);
        if (code !== 0) {
            throw new Error(`chappe ${args.join(" ")} ended with ${code}: ${stderr}`);
        }
        return stdout.trim() === "" ? undefined : JSON.parse(stdout);
    };
    await say("login", "--phone", account.phone, "--code", account.code);
    return { run, say, env, account };
}

/**
 * The example site, whose pages browsers find at `http://localhost:PORT`: that address. `telegram` is
 * where it sends people, `client` what it is registered as there (`id`, `secret` and, if it is not
 * RS256, `alg`).
 */
export async function exampleSite(t, { telegram, bot, token, client }) {
    const site = new Running(
        t,
        programs.site,
        ["--telegram", telegram, "--bot", bot, "--client-id", client.id, "--alg", client.alg ?? "RS256", "--listen", "127.0.0.1:0"],
        { TELEGRAM_BOT_TOKEN: token, TELEGRAM_CLIENT_SECRET: client.secret },
    );
    return site.line();
}

/**
 * A program of chappe-login that answers a line of JSON by one: `check` for the data of widgets and
 * Mini Apps, `oidc` for the client of OpenID Connect.
 */
export function asking(t, program) {
    const process = new Running(t, program, []);
    let asked = 0;
    return async (question) => {
        process.child.stdin.write(`${JSON.stringify(question)}\n`);
        asked += 1;
        while (process.lines.length < asked) {
            await process.more();
        }
        return JSON.parse(process.lines[asked - 1]);
    };
}
