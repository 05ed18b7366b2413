// Processes of this repository.
//
// Each has deadlines, sees nothing of this machine's environment but what it is given, and ends
// with the test that started it.
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_LIMIT = 60_000;
const STOP_LIMIT = 10_000;

/** The programs of this repository, as `run.sh` has built them. */
export const programs = {
    check: join(process.env.CHAPPE_LOGIN_EXAMPLES ?? "", "check"),
    oidc: join(process.env.CHAPPE_LOGIN_EXAMPLES ?? "", "oidc"),
};

const running = new Set();
// Also when the runner's own deadline ends this process.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => process.exit(1));
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
        t.after(() => this.stop());
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
