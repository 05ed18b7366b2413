// Reads lines of random values from standard input, has GramJS decode the bytes and write them
// again, and compares. Prints counts; exits with 1 when any bytes differ. Run it by run.sh.
"use strict";

const readline = require("readline");
// GramJS patches its Message classes with conveniences that change what was read: a message id
// of 0 is refused, the id of a saved peer changes its sign. The codec beneath is what counts.
const patched = require.resolve("telegram/tl/patched");
require.cache[patched] = { id: patched, loaded: true, exports: { patchAll() {} } };

const { tlobjects } = require("telegram/tl/AllTLObjects");
const { BinaryReader } = require("telegram/extensions/BinaryReader");
const { variableSnakeToCamelCase } = require("telegram/tl/generationHelpers");

// GramJS has no classes for these: it reads and writes the core types by heart.
const CORE = new Set(["true", "error", "null"]);

// A class counts as reached when a value of it was rewritten, nested ones included.
const reached = new Set();
const visit = (value) => {
  if (Array.isArray(value)) value.forEach(visit);
  else if (value && typeof value === "object" && value.CONSTRUCTOR_ID !== undefined) {
    reached.add(value.className);
    for (const name of Object.keys(value)) if (name !== "originalArgs") visit(value[name]);
  }
};

// It also complains there of the type of a long `randomId`, and carries on.
console.error = () => {};

// Whether GramJS read what our JSON says: bytes alone would not tell two fields apart.
const equal = (json, value) => {
  if (Array.isArray(json)) {
    return json.length === value.length && json.every((item, index) => equal(item, value[index]));
  }
  if (json !== null && typeof json === "object") {
    const { _: name, ...fields } = json;
    return (
      value.className.replace(/_/g, "").toLowerCase() === name.replace(/_/g, "").toLowerCase() &&
      Object.entries(fields).every(([key, field]) => equal(field, value[variableSnakeToCamelCase(key)]))
    );
  }
  if (Buffer.isBuffer(value)) return value.toString("base64") === json;
  return typeof json === "string" ? value.toString() === json : value === json;
};

async function main() {
  const counts = { same: 0, wrappers: 0, core: 0, zero: 0, unknown: [], failed: [] };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { name, hex, json } = JSON.parse(line);
    if (CORE.has(name)) {
      counts.core += 1;
      continue;
    }
    // GramJS takes a zero for a missing `random_id` and writes a random one, a long even.
    if (json.random_id === 0) {
      counts.zero += 1;
      continue;
    }
    const bytes = Buffer.from(hex, "hex");
    const found = tlobjects[bytes.readUInt32LE(0)];
    if (found === undefined) {
      counts.unknown.push(name);
      continue;
    }
    try {
      const reader = new BinaryReader(bytes);
      const object = reader.tgReadObject();
      if (reader.tellPosition() !== bytes.length) throw new Error("bytes are left over");
      if (json.query && json.query._) counts.wrappers += 1;
      visit(object);
      if (!equal(json, object)) throw new Error(`reads differently: ${JSON.stringify(json)}`);
      const written = object.getBytes();
      if (written.equals(bytes)) counts.same += 1;
      else counts.failed.push(`${name}\n  ours   ${hex}\n  theirs ${written.toString("hex")}`);
    } catch (error) {
      counts.failed.push(`${name}: ${error.message}\n  ours   ${hex}`);
    }
  }
  for (const failure of counts.failed.slice(0, 20)) console.log(`DIFFERENT ${failure}`);
  if (counts.unknown.length > 0) console.log(`unknown to GramJS: ${counts.unknown.join(", ")}`);
  console.log(
    `${counts.same} values byte for byte the same (${counts.wrappers} of them wrappers around ` +
      `a query), ${reached.size} definitions, ${counts.failed.length} different, ` +
      `${counts.unknown.length} unknown; skipped: ${counts.core} core values, ${counts.zero} zero random ids`,
  );
  process.exit(counts.failed.length > 0 || counts.same === 0 ? 1 : 0);
}

main();
