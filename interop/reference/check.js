// Runs each program in JavaScript and TypeScript of a folder that `chappe-reference examples` wrote, up to
// its call, and compares the bytes that the package's own classes make of the request with ours. Type-checks
// those in TypeScript, and looks whether all are laid out as prettier would. Ends with 1 if anything is wrong.
"use strict";

const { readFileSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");
const bigInt = require("big-integer");
const prettier = require("prettier");
const ts = require("typescript");

const folder = path.resolve(process.argv[2]);
const requests = readFileSync(path.join(folder, "requests.jsonl"), "utf8").trim().split("\n").map(JSON.parse);

// They tell of values of a wrong type, and carry on: here that is a complaint.
const complaints = [];
console.error = (...words) => complaints.push(words.join(" "));

const packages = new Map();

/** A package with its own classes, but a client that dials nobody and keeps what it is asked. */
function load(name) {
  if (!packages.has(name)) {
    const real = require(name);
    const { StringSession } = require(`${name}/sessions`);
    const utils = require(`${name}/Utils`);
    const state = { requests: [] };
    class TelegramClient extends real.TelegramClient {
      constructor() {
        super(new StringSession(""), 1, "0", { baseLogger: new real.Logger("none") });
      }
      async connect() {}
      async destroy() {}
      // As theirs: what may be named in several ways is resolved before it is written.
      async invoke(request) {
        await request.resolve(this, utils);
        state.requests.push(request);
      }
    }
    const modules = {
      [name]: { ...real, Api: real.Api, TelegramClient },
      [`${name}/sessions`]: { StringSession: class {} },
      "big-integer": bigInt,
    };
    packages.set(name, { state, modules });
  }
  return packages.get(name);
}

/** The request that a program makes. */
async function requestOf(code, file, name) {
  const { state, modules } = load(name);
  state.requests.length = 0;
  const script = new Script(`(require, process, console, exports) => {${code}\n}`, { filename: file });
  let failure;
  const silent = { log() {} };
  const watch = (error) => (failure = error);
  process.once("unhandledRejection", watch);
  const needed = (module) => {
    if (!(module in modules)) throw new Error(`${file} requires ${module}, which is not ${name}`);
    return modules[module];
  };
  script.runInThisContext()(needed, { env: {} }, silent, {});
  // The program runs in promises that nobody holds: they are done after a turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener("unhandledRejection", watch);
  if (failure) throw failure;
  if (state.requests.length !== 1) throw new Error(`${state.requests.length} calls`);
  return state.requests[0];
}

// A class of 62 letters, which prettier breaks lines around as nobody would.
const TOO_LONG = new Set(["account.updatePasswordSettings"]);

const failed = [];
const fail = (language, method, why) => failed.push(`${language} ${method}: ${why}`);

async function programs(language, extension, toScript) {
  let count = 0;
  for (const { method, hex, packages } of requests) {
    if (packages[language] === null) continue;
    const [name, version] = packages[language].split("@");
    const installed = require(`${name}/package.json`).version;
    if (installed !== version) throw new Error(`${name} ${installed} is installed: run schema/packages.py for it`);
    const file = path.join(folder, language, `${method}.${extension}`);
    const code = readFileSync(file, "utf8");
    const parser = language === "typescript" ? "typescript" : "babel";
    const isSame = (await prettier.format(code, { parser })) === code;
    if (!isSame && !TOO_LONG.has(method)) fail(language, method, "prettier would change it");
    complaints.length = 0;
    try {
      const request = await requestOf(toScript(code), file, name);
      const bytes = request.getBytes().toString("hex");
      if (bytes !== hex) fail(language, method, `\n  ours   ${hex}\n  theirs ${bytes}\n${code}`);
      else if (complaints.length > 0) fail(language, method, complaints[0]);
    } catch (error) {
      fail(language, method, `${error.stack}\n${code}`);
    }
    count += 1;
  }
  console.log(`${language}: ${count} programs ran, ${requests.length - count} have no package`);
}

/** What the compiler says of all programs in TypeScript, with the packages' own declarations. */
function types() {
  const files = requests
    .filter(({ packages }) => packages.typescript !== null)
    .map(({ method }) => path.join(folder, "typescript", `${method}.ts`));
  const options = {
    esModuleInterop: true,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    noEmit: true,
    // The programs are elsewhere; what they import is here.
    baseUrl: path.dirname(require.resolve("typescript/package.json")).replace(/typescript$/, ""),
    skipLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    typeRoots: [path.join(path.dirname(require.resolve("@types/node/package.json")), "..")],
    types: ["node"],
  };
  const program = ts.createProgram(files, options);
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    const file = diagnostic.file ? path.basename(diagnostic.file.fileName, ".ts") : "";
    const line = diagnostic.file ? ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start).line + 1 : 0;
    fail("typescript", file, `line ${line}: ${text}`);
  }
  console.log(`typescript: ${files.length} programs checked by ${ts.version}`);
}

async function main() {
  await programs("javascript", "js", (code) => code);
  const module = ts.ModuleKind.CommonJS;
  const options = { esModuleInterop: true, module, target: ts.ScriptTarget.ES2022 };
  await programs("typescript", "ts", (code) => ts.transpileModule(code, { compilerOptions: options }).outputText);
  types();
  for (const line of failed) console.log(line);
  process.exit(failed.length > 0 ? 1 : 0);
}

main().catch((error) => {
  console.log(error);
  process.exit(1);
});
