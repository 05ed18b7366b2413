//! Programs in JavaScript and TypeScript, with GramJS (`telegram`) or its successor `teleproto`,
//! as prettier lays them out by default.

use chappe_schema::value::{Object, Value};
use chappe_schema::{Definition, Type};

use super::{Package, Written, answer, caller, literal, pascal, readable, width};
use crate::recorded::Asker;

/// The widest line.
const MAX_WIDTH: usize = 80;

/// Fields that a package declares as something else than it takes: package, class, field, what.
const DECLARED_WRONG: [(&str, &str, &str, &str); 1] =
    [("teleproto", "messages.markDialogUnread", "peer", "EntityLike")];

/// The shortest name behind which a text that is too long begins a line.
const LONG_KEY: usize = 5;

/// Numbers beyond this lose digits.
const SAFE: u64 = (1 << 53) - 1;

pub(super) fn program(call: &Object<'static>, package: Option<&Package>, typed: bool) -> Written {
    let package = package.map_or("telegram", |package| package.name.as_str());
    let mut writer = Writer { package, typed, big: false };
    let (is_user, variable) = match caller(call) {
        Asker::Bot => (true, "BOT_STRING_SESSION"),
        Asker::Nobody => (false, ""),
        Asker::User => (true, "STRING_SESSION"),
    };
    let bang = if typed { "!" } else { "" };
    let session = if is_user { format!("process.env.{variable}{bang}") } else { "\"\"".to_owned() };
    let ty = if typed { format!(": {}", result(answer_type(call))) } else { String::new() };
    let invoke = |writer: &mut Writer<'_>, margin: usize| {
        let head = format!("const result{ty} =");
        let space = " ".repeat(margin);
        let short = writer.object(call, margin);
        let line = format!("{head} await client.invoke({short});");
        if !short.contains('\n') && margin + line.len() <= MAX_WIDTH {
            return line;
        }
        let inner = writer.object(call, margin + 2);
        if margin + head.len() + " await client.invoke(".len() <= MAX_WIDTH {
            return format!("{head} await client.invoke(\n{space}  {inner},\n{space});");
        }
        let line = format!("await client.invoke({short});");
        if !short.contains('\n') && margin + 2 + line.len() <= MAX_WIDTH {
            return format!("{head}\n{space}  {line}");
        }
        let inner = writer.object(call, margin + 4);
        format!("{head}\n{space}  await client.invoke(\n{space}    {inner},\n{space}  );")
    };
    let snippet = invoke(&mut writer, 0);
    let body = invoke(&mut writer, 2);
    let imports = if typed {
        let big = if writer.big { "import bigInt from \"big-integer\";\n" } else { "" };
        format!(
            "{big}import {{ Api, TelegramClient }} from \"{package}\";\n\
             import {{ StringSession }} from \"{package}/sessions\";\n"
        )
    } else {
        let big = if writer.big { "const bigInt = require(\"big-integer\");\n" } else { "" };
        format!(
            "{big}const {{ Api, TelegramClient }} = require(\"{package}\");\n\
             const {{ StringSession }} = require(\"{package}/sessions\");\n"
        )
    };
    let code = format!(
        "{imports}
const apiId = Number(process.env.TELEGRAM_API_ID);
const apiHash = process.env.TELEGRAM_API_HASH{bang};
const session = new StringSession({session});
const client = new TelegramClient(session, apiId, apiHash, {{}});

(async function run() {{
  await client.connect();
  {body}
  console.log(result); // prints the result
  await client.destroy();
}})();
"
    );
    Written { code, snippet }
}

/// The type of a call's answer; nobody can say what that of a wrapper is in these packages.
fn answer_type<'o>(call: &'o Object<'static>) -> Option<&'o Type> {
    (!call.definition().is_generic()).then(|| answer(call))
}

/// An answer's type in the packages' declarations.
fn result(ty: Option<&Type>) -> String {
    match ty {
        None => "Api.X".to_owned(),
        Some(Type::Vector { item, .. }) => format!("{}[]", result(Some(item))),
        Some(Type::Boxed(name)) => match name.split_once('.') {
            Some((namespace, name)) => format!("Api.{namespace}.Type{}", pascal(name)),
            None => format!("Api.Type{}", pascal(name)),
        },
        Some(other) => format!("Api.{other}"),
    }
}

struct Writer<'p> {
    package: &'p str,
    typed: bool,
    /// Whether `bigInt` was used.
    big: bool,
}

impl Writer<'_> {
    /// `new Api.x.Y({ ... })`, whose further lines are indented by `margin`.
    fn object(&mut self, object: &Object<'static>, margin: usize) -> String {
        let definition = object.definition();
        let name = match definition.namespace() {
            Some(namespace) => format!("Api.{namespace}.{}", pascal(definition.short_name())),
            None => format!("Api.{}", pascal(&definition.name)),
        };
        let fields: Vec<(&str, &Value<'static>)> = object.fields().collect();
        if fields.is_empty() {
            let nothing = if takes_nothing(definition) { "" } else { "{}" };
            return format!("new {name}({nothing})");
        }
        let space = " ".repeat(margin);
        let mut text = format!("new {name}({{\n");
        for (field, value) in fields {
            let key = camel(field);
            let wrong = DECLARED_WRONG.iter().find(|(package, class, it, _)| {
                *package == self.package && *class == definition.name && *it == field
            });
            if let Some((package, .., declared)) = wrong.filter(|_| self.typed) {
                let comment = format!("@ts-expect-error: {package} declares {declared} here");
                text.push_str(&format!("{space}  // {comment}\n"));
            }
            let is_text = matches!(value, Value::String(_));
            let value = self.value(value, margin + 2, key.len() + 2);
            let is_long = margin + 2 + key.len() + 2 + width(&value) + 1 > MAX_WIDTH;
            // A text that is too long goes on the next line, although it may not fit there either.
            let gap = if is_text && is_long && key.len() >= LONG_KEY {
                format!("\n{space}    ")
            } else {
                " ".to_owned()
            };
            text.push_str(&format!("{space}  {key}:{gap}{value},\n"));
        }
        text + &space + "})"
    }

    /// A value behind `begins` columns of a line that is indented by `margin`.
    fn value(&mut self, value: &Value<'static>, margin: usize, begins: usize) -> String {
        match value {
            Value::Bool(value) => value.to_string(),
            Value::Bytes(bytes) => buffer(bytes, margin, begins),
            Value::Double(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Int128(bytes) => self.big(&unsigned(bytes)),
            Value::Int256(bytes) => self.big(&unsigned(bytes)),
            Value::Long(value) if value.unsigned_abs() <= SAFE => {
                if self.typed {
                    self.big = true;
                    format!("bigInt({value})")
                } else {
                    value.to_string()
                }
            }
            Value::Long(value) => self.big(&value.to_string()),
            Value::Object(object) => self.object(object, margin),
            Value::String(text) => quoted(text),
            Value::Vector(items) => {
                let line: Vec<String> =
                    items.iter().map(|item| self.value(item, margin, 0)).collect();
                let line = format!("[{}]", line.join(", "));
                if !line.contains('\n') && margin + begins + line.len() < MAX_WIDTH {
                    return line;
                }
                let space = " ".repeat(margin);
                let items = items
                    .iter()
                    .map(|item| format!("{space}  {},\n", self.value(item, margin + 2, 0)));
                let items: String = items.collect();
                format!("[\n{items}{space}]")
            }
        }
    }

    fn big(&mut self, digits: &str) -> String {
        self.big = true;
        format!("bigInt(\"{digits}\")")
    }
}

/// Whether the class takes no arguments at all.
fn takes_nothing(definition: &Definition) -> bool {
    definition.params.iter().all(|param| param.ty == Type::Nat)
}

/// Bytes as text where they are, else by their digits.
fn buffer(bytes: &[u8], margin: usize, begins: usize) -> String {
    match readable(bytes) {
        Some(text) => format!("Buffer.from({})", quoted(text)),
        None if bytes.is_empty() => "Buffer.alloc(0)".to_owned(),
        None => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let line = format!("Buffer.from(\"{hex}\", \"hex\")");
            if margin + begins + line.len() < MAX_WIDTH {
                return line;
            }
            let space = " ".repeat(margin);
            format!("Buffer.from(\n{space}  \"{hex}\",\n{space}  \"hex\",\n{space})")
        }
    }
}

/// The digits of a little-endian number.
fn unsigned(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes.iter().rev() {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = u8::try_from(carry % 10).unwrap_or_default();
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

/// A string in the quotes that need fewer escapes.
fn quoted(text: &str) -> String {
    let quote = if text.matches('"').count() > text.matches('\'').count() { '\'' } else { '"' };
    literal(text, quote)
}

/// `access_hash` -> `accessHash`; what is behind an underscore keeps its case: `srp_B`.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '_' && next.is_ascii_lowercase() => {
                camel.push(next.to_ascii_uppercase());
                letters.next();
            }
            _ => camel.push(letter),
        }
    }
    camel
}
