//! The source of a struct's codec: what writes its fields, and what reads them.
//!
//! What is emitted calls helpers of chappe-tl that are compiled once, since there is so much of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Emitter;
use crate::ast::{Definition, Param, Type};
use crate::emit::names::field;
use crate::emit::{Place, group};

impl Emitter<'_> {
    pub(super) fn encode(
        &self,
        out: &mut String,
        definition: &Definition,
        name: &str,
        generic: bool,
    ) {
        let [generics, arguments] = if generic { ["<Q: tl::Encode>", "<Q>"] } else { [""; 2] };
        let _ = write!(
            out,
            "\nimpl{generics} tl::Encode for {name}{arguments} {{\n    \
             fn encode(&self, out: &mut Vec<u8>) {{\n        \
             tl::write_u32(out, {:#010x});\n",
            definition.id
        );
        for (index, param) in definition.params.iter().enumerate() {
            let name = field(&param.name);
            let shared = group(definition, param).len() > 1;
            match (&param.ty, param.flag) {
                (Type::Nat, _) => self.encode_flags(out, definition, index, &name),
                (Type::True, _) => {}
                (ty, None) => {
                    let call = self.encode_call(ty, &format!("self.{name}"), 0);
                    let _ = writeln!(out, "        {call};");
                }
                (Type::Int, Some(_)) if !shared && !self.is_boxed(definition, param) => {
                    let _ = writeln!(out, "        tl::write_i32_if(out, self.{name});");
                }
                (Type::Long, Some(_)) if !shared && !self.is_boxed(definition, param) => {
                    let _ = writeln!(out, "        tl::write_i64_if(out, self.{name});");
                }
                (Type::String, Some(_)) if !shared && !self.is_boxed(definition, param) => {
                    let _ = writeln!(out, "        tl::write_text_if(out, &self.{name});");
                }
                (ty, Some(flag)) => {
                    let depth = if self.is_boxed(definition, param) { 2 } else { 1 };
                    let call = self.encode_call(ty, "value", depth);
                    let word = definition.params.get(flag.field).map(|word| field(&word.name));
                    let guard = if shared {
                        format!(" && {} & {:#x} != 0", word.unwrap_or_default(), 1_u32 << flag.bit)
                    } else {
                        String::new()
                    };
                    let _ = writeln!(
                        out,
                        "        if let Some(value) = &self.{name}{guard} {{\n            {call};\n        }}"
                    );
                }
            }
        }
        out.push_str("    }\n}\n");
    }

    fn encode_flags(&self, out: &mut String, definition: &Definition, word: usize, name: &str) {
        let mut terms: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for param in &definition.params {
            let Some(flag) = param.flag.filter(|flag| flag.field == word) else { continue };
            if !seen.insert(flag.bit) {
                continue;
            }
            let present: Vec<String> = group(definition, param)
                .iter()
                .map(|param| {
                    let suffix = if param.ty == Type::True { "" } else { ".is_some()" };
                    format!("self.{}{suffix}", field(&param.name))
                })
                .collect();
            for pair in present.windows(2) {
                let [left, right] = pair else { continue };
                let _ = writeln!(
                    out,
                    "        debug_assert!({left} == {right}, \"set all the fields of bit {} or none\");",
                    flag.bit
                );
            }
            let mask = 1_u32 << flag.bit;
            terms.push(format!(
                "        let {name} = tl::bit({}, {}, {mask:#x});\n",
                if terms.is_empty() { "0" } else { name },
                present.join(" && ")
            ));
        }
        if terms.is_empty() {
            out.push_str("        tl::write_u32(out, 0);\n");
        } else {
            let _ = writeln!(out, "{}        tl::write_u32(out, {name});", terms.concat());
        }
    }

    /// The statement that writes `value`: a place, or so many pointers away from one.
    fn encode_call(&self, ty: &Type, value: &str, depth: usize) -> String {
        let copied = format!("{}{value}", "*".repeat(depth));
        let borrowed = if depth > 0 { value.to_owned() } else { format!("&{value}") };
        match ty {
            Type::Int => format!("tl::write_i32(out, {copied})"),
            Type::Long => format!("tl::write_i64(out, {copied})"),
            Type::Double => format!("tl::write_f64(out, {copied})"),
            Type::Bool => format!("tl::write_bool(out, {copied})"),
            Type::Int128 => format!("tl::write_int128(out, {copied})"),
            Type::Int256 => format!("tl::write_int256(out, {copied})"),
            Type::String => format!("tl::write_text(out, {borrowed})"),
            Type::Bytes => format!("tl::write_bytes(out, {borrowed})"),
            Type::Vector { bare: true, .. } => format!("tl::write_bare_vector(out, {borrowed})"),
            Type::Vector { bare: false, .. } => format!("tl::write_vector(out, {borrowed})"),
            _ => format!("tl::Encode::encode({borrowed}, out)"),
        }
    }

    pub(super) fn decode(
        &self,
        out: &mut String,
        definition: &Definition,
        name: &str,
        generic: bool,
    ) {
        let [generics, arguments] = if generic { ["<Q: tl::Decode>", "<Q>"] } else { [""; 2] };
        let reads = !definition.params.is_empty();
        let reader = if reads { "reader" } else { "_reader" };
        let tl_name = if definition.is_function || !self.is_only(definition) {
            definition.name.clone()
        } else {
            definition.result.to_string()
        };
        let condition = if definition.is_function && self.place == Place::Api {
            "#[cfg(feature = \"decode-methods\")]\n"
        } else {
            ""
        };
        let _ = write!(
            out,
            "\n{condition}impl{generics} tl::DecodeBare for {name}{arguments} {{\n    \
             const CONSTRUCTOR: (u32, &'static str) = ({:#010x}, \"{tl_name}\");\n    \
             fn decode_bare({reader}: &mut tl::Reader<'_>) -> Result<Self, tl::DecodeError> {{\n",
            definition.id
        );
        if !reads {
            out.push_str("        Ok(Self)\n    }\n}\n");
            return;
        }
        let deep =
            self.is_only(definition) && self.recursive.contains(&definition.result.to_string());
        if deep && !definition.is_function {
            out.push_str("        reader.enter()?;\n");
        }
        let words = definition.params.iter().filter(|param| param.ty == Type::Nat).count();
        let together = definition
            .params
            .iter()
            .skip_while(|param| param.ty != Type::Nat)
            .filter(|param| param.ty != Type::True)
            .take(words)
            .all(|param| param.ty == Type::Nat)
            && (words == 0 || definition.params.first().is_some_and(|first| first.ty == Type::Nat));
        let mut values = Vec::new();
        for (index, param) in definition.params.iter().enumerate() {
            let name = field(&param.name);
            if param.ty == Type::Nat {
                let used = definition
                    .params
                    .iter()
                    .any(|p| p.flag.is_some_and(|flag| flag.field == index));
                let name = if used { name } else { format!("_{name}") };
                let _ = writeln!(out, "        let {name} = reader.flags_field();");
            } else if together {
                values.push(format!(
                    "            {name}: {},\n",
                    self.decode_field(definition, param)
                ));
            } else {
                let _ =
                    writeln!(out, "        let {name} = {};", self.decode_field(definition, param));
                values.push(format!("            {name},\n"));
            }
        }
        let value = if values.is_empty() {
            "Self".to_owned()
        } else {
            format!("Self {{\n{}        }}", values.concat())
        };
        if deep && !definition.is_function {
            let _ = writeln!(out, "        let value = {value};\n        reader.leave();");
        } else {
            let _ = writeln!(out, "        let value = {value};");
        }
        out.push_str(
            "        match reader.failure() {\n            None => Ok(value),\n            \
             Some(error) => Err(error),\n        }\n    }\n}\n",
        );
    }

    fn decode_field(&self, definition: &Definition, param: &Param) -> String {
        let boxed = self.is_boxed(definition, param);
        if let Some(flag) = param.flag {
            let word = definition.params.get(flag.field).map(|word| field(&word.name));
            let read = match &param.ty {
                Type::True => "tl::has(",
                _ if boxed => "reader.boxed_if(",
                Type::Int => "reader.int_if(",
                Type::Long => "reader.long_if(",
                Type::String => "reader.text_if(",
                Type::Vector { bare: false, .. } => "reader.vector_if(",
                _ => "reader.field_if(",
            };
            return format!("{read}{}, {:#x})", word.unwrap_or_default(), 1_u32 << flag.bit);
        }
        let read = match &param.ty {
            Type::Int => "reader.int_field()",
            Type::Long => "reader.long_field()",
            Type::Double | Type::Bool | Type::Int128 | Type::Int256 => "reader.field()",
            Type::String => "reader.text_field()",
            Type::Bytes => "reader.bytes_field()",
            Type::Vector { bare: true, .. } => "reader.bare_vector()?",
            Type::Vector { bare: false, .. } => "reader.vector_field()",
            // What `?` says, without the traits behind it: less to build.
            _ if self.place == Place::Api => {
                "match tl::Decode::decode(reader) { Ok(value) => value, Err(error) => return Err(error) }"
            }
            _ => "tl::Decode::decode(reader)?",
        };
        if boxed { format!("Box::new({read})") } else { read.to_owned() }
    }
}
