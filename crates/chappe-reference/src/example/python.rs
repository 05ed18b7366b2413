//! Programs in Python, with Telethon, as black lays them out by default.

use chappe_schema::Definition;
use chappe_schema::value::{Object, Value};

use super::{Written, caller, literal, pascal, width};
use crate::recorded::Asker;

/// The widest line.
const MAX_WIDTH: usize = 88;

pub(super) fn program(call: &Object<'static>) -> Written {
    let session = match caller(call) {
        Asker::Bot => "StringSession(os.environ[\"BOT_STRING_SESSION\"])",
        Asker::Nobody => "StringSession()",
        Asker::User => "StringSession(os.environ[\"STRING_SESSION\"])",
    };
    let invoke = |margin: usize| {
        let head = "result = await client(";
        let space = " ".repeat(margin);
        let short = object(call, margin, margin + head.len(), 1);
        if !short.contains('\n') && margin + head.len() + width(&short) < MAX_WIDTH {
            return format!("{head}{short})");
        }
        let inner = object(call, margin + 4, margin + 4, 0);
        format!("{head}\n{space}    {inner}\n{space})")
    };
    let body = invoke(4);
    let types = if body.contains("types.") { ", types" } else { "" };
    let code = format!(
        "import asyncio
import os

from telethon import TelegramClient, functions{types}
from telethon.sessions import StringSession

api_id = int(os.environ[\"TELEGRAM_API_ID\"])
api_hash = os.environ[\"TELEGRAM_API_HASH\"]
session = {session}


async def main():
    client = TelegramClient(session, api_id, api_hash)
    await client.connect()
    {body}
    print(result)  # prints the result
    await client.disconnect()


asyncio.run(main())
"
    );
    Written { code, snippet: invoke(0) }
}

/// A request or a constructor, whose further lines are indented by `margin`.
fn object(object: &Object<'static>, margin: usize, begins: usize, ends: usize) -> String {
    let name = class(object.definition());
    let fields: Vec<(String, &Value<'static>)> =
        object.fields().map(|(field, value)| (keyword(field), value)).collect();
    let is_plain = fields.iter().all(|(_, value)| !has_objects(value));
    if is_plain {
        let parts: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={}", self::value(value, 0, 0)))
            .collect();
        let line = format!("{name}({})", parts.join(", "));
        if begins + width(&line) + ends <= MAX_WIDTH {
            return line;
        }
    }
    let space = " ".repeat(margin);
    let mut text = format!("{name}(\n");
    for (key, value) in fields {
        let value = self::value(value, margin + 4, margin + 4 + key.len() + 1);
        text.push_str(&format!("{space}    {key}={value},\n"));
    }
    text + &space + ")"
}

fn value(value: &Value<'static>, margin: usize, begins: usize) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Bytes(bytes) => byte_string(bytes),
        Value::Double(value) => format!("{value:?}"),
        Value::Int(value) => value.to_string(),
        Value::Int128(bytes) => unsigned(bytes),
        Value::Int256(bytes) => unsigned(bytes),
        Value::Long(value) => value.to_string(),
        Value::Object(object) => self::object(object, margin, begins, 1),
        Value::String(text) => quoted(text),
        Value::Vector(items) => {
            let line: Vec<String> = items.iter().map(|item| self::value(item, 0, 0)).collect();
            let line = format!("[{}]", line.join(", "));
            let is_plain = items.iter().all(|item| !has_objects(item));
            if is_plain && begins + width(&line) < MAX_WIDTH {
                return line;
            }
            let space = " ".repeat(margin);
            let items = items
                .iter()
                .map(|item| format!("{space}    {},\n", self::value(item, margin + 4, margin + 4)));
            format!("[\n{}{space}]", items.collect::<String>())
        }
    }
}

/// Whether a value has an object in it that has fields.
fn has_objects(value: &Value<'static>) -> bool {
    match value {
        Value::Object(object) => object.fields().next().is_some(),
        Value::Vector(items) => items.iter().any(has_objects),
        _ => false,
    }
}

/// A little-endian number in hexadecimal digits.
fn unsigned(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect();
    format!("int.from_bytes(bytes.fromhex(\"{digits}\"), \"big\")")
}

/// `account.resetWebAuthorization` -> `functions.account.ResetWebAuthorizationRequest`.
fn class(definition: &Definition) -> String {
    let (module, end) =
        if definition.is_function { ("functions", "Request") } else { ("types", "") };
    let name = pascal(definition.short_name());
    match definition.namespace() {
        Some(namespace) => format!("{module}.{namespace}.{name}{end}"),
        None => format!("{module}.{name}{end}"),
    }
}

/// The names that Telethon gives to what Python keeps for itself.
fn keyword(field: &str) -> String {
    match field {
        "self" => "is_self".to_owned(),
        "from" => "from_".to_owned(),
        other => other.to_owned(),
    }
}

/// A string in the quotes that need fewer escapes.
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
    literal(text, quote)
}

fn byte_string(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'"') && !bytes.contains(&b'\'') { '\'' } else { '"' };
    let escaped = bytes.escape_ascii().to_string().replace("\\'", "'");
    let escaped = if quote == '\'' { escaped.replace("\\\"", "\"") } else { escaped };
    format!("b{quote}{escaped}{quote}")
}
