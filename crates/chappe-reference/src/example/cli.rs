//! Calls from a shell, with the command `chappe`.

use chappe_schema::value::Object;
use serde_json::Value as Json;

use super::{Written, caller};
use crate::recorded::Asker;

/// The longest call on one line.
const LONGEST: usize = 100;

pub(super) fn program(call: &Object<'static>) -> Written {
    let mut fields = call.to_json();
    if let Json::Object(fields) = &mut fields {
        fields.shift_remove("_");
    }
    let is_empty = fields.as_object().is_some_and(serde_json::Map::is_empty);
    let account = match caller(call) {
        Asker::Bot => " --account bot",
        Asker::Nobody | Asker::User => "",
    };
    let head = format!("chappe{account} call {}", call.name());
    let code = if is_empty {
        head
    } else {
        let short = format!("{head} {}", quoted(&fields.to_string()));
        if short.chars().count() <= LONGEST {
            short
        } else {
            format!("{head} {}", quoted(&format!("{fields:#}")))
        }
    };
    Written { code: format!("{code}\n"), snippet: code }
}

/// A word of a shell: in single quotes nothing but they mean anything.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
