//! Whatever a call holds, the programs say exactly that: read by Node, Python and a shell themselves.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use chappe_schema::value::random::Random;
use serde_json::json;

use super::super::{cli, javascript, python};
use super::*;
use programs::runs_here;

#[path = "../../../tests/programs/mod.rs"]
mod programs;

/// Texts with what means something in a language, in a shell, or to whoever splits lines.
const TEXTS: &[&str] = &[
    "it's \"open\" for $5 & `more`",
    "${x} {} {x} %s #{x} $(x) !x \\",
    "\\' \\\" \\\\ \\n \\u0041",
    "'",
    "\"",
    "'''\"\"\"",
    "a\r\nb\tc\u{b}\u{c}\0",
    "\u{7f}\u{85}\u{9f}\u{ad}\u{2028}\u{2029}\u{feff}\u{202e}",
    "//*/ --> </script> <!--",
    "ж語🚲👩\u{200d}🚀",
    "",
];

/// Prints what the calls of the snippets hold, one array a line.
const NODE: &str = "
    const vm = require('node:vm');
    const names = new Proxy(function () {}, {
      get: () => names,
      construct: (_, [fields]) => ({ fields: Object.values(fields ?? {}) }),
    });
    const bigInt = (digits) => BigInt(digits);
    const client = { invoke: (request) => request };
    const digits = (number) => (number >> 128n > 0n ? number.toString(16) : String(number));
    const walk = (value) => {
      if (typeof value === 'boolean' || typeof value === 'string') return [value];
      if (typeof value === 'bigint') return [digits(value)];
      if (typeof value === 'number') return [String(value)];
      if (Buffer.isBuffer(value)) return ['bytes', value.toString('hex')];
      const items = Array.isArray(value) ? value : value.fields;
      return [items.length, ...items.flatMap(walk)];
    };
    for (const line of require('node:fs').readFileSync(0, 'utf8').split('\\n').filter(Boolean)) {
      const [program, snippet] = JSON.parse(line);
      if (program) new vm.Script(program);
      const bare = snippet.replace(/^const result(: [\\w.\\[\\]]+)? =\\s+await /, 'return ');
      const call = new Function('Api', 'bigInt', 'client', bare)(names, bigInt, client);
      process.stdout.write(JSON.stringify(walk(call)) + '\\n');
    }";

/// The same.
const PYTHON: &str = "
import ast, json, sys
class Names:
    def __getattr__(self, name): return self
    def __call__(self, **fields): return fields
def walk(value):
    if isinstance(value, (bool, str)): return [value]
    if isinstance(value, float): return [str(int(value)) if value == int(value) else str(value)]
    if isinstance(value, int): return [str(value) if value >> 128 <= 0 else f'{value:x}']
    if isinstance(value, bytes): return ['bytes', value.hex()]
    items = list(value.values()) if isinstance(value, dict) else value
    return [len(items)] + [it for item in items for it in walk(item)]
names = {'functions': Names(), 'types': Names(), 'client': lambda request: request}
for line in sys.stdin.buffer.read().decode().split('\\n'):
    if line:
        program, snippet = json.loads(line)
        ast.parse(program)
        exec(snippet.replace('await ', '', 1), names)
        print(json.dumps(walk(names['result'])))
";

/// What a call holds, in the order of its fields, as the programs above print it.
fn held(value: &Value<'static>) -> Vec<Json> {
    let hex = |bytes: &mut dyn Iterator<Item = &u8>| {
        bytes.fold(String::new(), |mut hex, byte| {
            _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    match value {
        Value::Bool(value) => vec![json!(value)],
        Value::Bytes(bytes) => vec![json!("bytes"), json!(hex(&mut bytes.iter()))],
        Value::Double(value) => vec![json!(value.to_string())],
        Value::Int(value) => vec![json!(value.to_string())],
        Value::Int128(bytes) => vec![json!(u128::from_le_bytes(*bytes).to_string())],
        // No number of Rust's is as long: its digits are hexadecimal here.
        Value::Int256(bytes) => {
            vec![json!(hex(&mut bytes.iter().rev()).trim_start_matches('0'))]
        }
        Value::Long(value) => vec![json!(value.to_string())],
        Value::String(text) => vec![json!(text.as_str())],
        Value::Vector(items) => {
            [json!(items.len())].into_iter().chain(items.iter().flat_map(held)).collect()
        }
        Value::Object(object) => {
            let fields: Vec<&Value<'static>> = object.fields().map(|(_, value)| value).collect();
            [json!(fields.len())].into_iter().chain(fields.into_iter().flat_map(held)).collect()
        }
    }
}

/// A random call of each method, and calls with each of the texts.
fn calls() -> Vec<Object<'static>> {
    let mut random = Random::new(api(), 7);
    let mut calls: Vec<_> = methods().map(|it| random.object(it)).collect();
    let call = |method: &str, fields: Json| Object::call_from_json(api(), method, &fields).unwrap();
    for text in TEXTS {
        let peer = json!({ "_": "inputPeerSelf" });
        calls.push(call(
            "messages.sendMessage",
            json!({ "peer": peer, "message": text, "random_id": "-9007199254740993" }),
        ));
        let bytes = Value::Bytes(text.as_bytes().to_vec().into()).to_json();
        let part = json!({ "file_id": "9007199254740992", "file_part": 0, "bytes": bytes });
        calls.push(call("upload.saveFilePart", part));
    }
    // A number of 256 bits.
    let conference = api().find("phone.createConferenceCall").unwrap();
    let has_key = |call: &Object<'static>| call.get("public_key").is_some();
    calls.extend((0..32).map(|_| random.object(conference)).find(has_key));
    calls
}

/// What a program prints that reads these lines.
fn run(program: &str, arguments: &[&str], input: String) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

fn check(program: &str, arguments: &[&str], write: impl Fn(&Object<'static>) -> Json) {
    if !runs_here("what a program reads of a call", program, &["--version"]) {
        return;
    }
    let calls = calls();
    let lines: Vec<String> = calls.iter().map(|call| write(call).to_string()).collect();
    let told = String::from_utf8(run(program, arguments, lines.join("\n"))).unwrap();
    assert_eq!(told.lines().count(), calls.len());
    for (call, told) in calls.iter().zip(told.lines()) {
        let told: Json = serde_json::from_str(told).unwrap();
        assert_eq!(told, Json::Array(held(&Value::Object(call.clone()))), "{}", call.name());
    }
}

#[test]
fn node_reads_what_a_call_holds() {
    check("node", &["-e", NODE], |call| {
        let written = javascript::program(call, None, false);
        json!([written.code, written.snippet])
    });
    // Its types are not Node's affair.
    check("node", &["-e", NODE], |call| json!(["", javascript::program(call, None, true).snippet]));
}

#[test]
fn python_reads_what_a_call_holds() {
    check("python3", &["-c", PYTHON], |call| {
        let written = python::program(call);
        json!([written.code, written.snippet])
    });
}

#[test]
fn a_shell_reads_what_a_call_holds() {
    let calls = calls();
    let mut script = "chappe() { printf '%s\\0' \"${@: -1}\"; }\n".to_owned();
    script.extend(calls.iter().map(|call| cli::program(call).code));
    let told = String::from_utf8(run("bash", &[], script)).unwrap();
    let told: Vec<&str> = told.split_terminator('\0').collect();
    assert_eq!(told.len(), calls.len());
    for (call, told) in calls.iter().zip(told) {
        let fields = if told == call.name() { json!({}) } else { told.parse().unwrap() };
        assert_eq!(Object::call_from_json(api(), call.name(), &fields).unwrap(), *call);
    }
}
