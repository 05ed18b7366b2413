//! Values as Rust expressions: what one types to make a request with the generated types.
//!
//! They are printed as rustfmt prints them by default, so that what a reader pastes stays as it is.

use std::collections::BTreeSet;

use super::layout::{self, Boxing, Decisions, place};
use super::names::{field, module, pascal, variant};
use super::{EmitError, shape::Shape};
use crate::ast::{Definition, Param, Schema, Type};
use crate::value::{Object, Value};

/// How many optional fields are spelled out, set or not, before the constructor function is better.
const FEW_OPTIONAL: usize = 4;

/// How many arguments without names can still be told apart.
const FEW_ARGUMENTS: usize = 3;

/// Writes expressions of the types that [`api`](super::api) generates.
#[derive(Debug)]
pub struct Expressions<'s> {
    schema: &'s Schema,
    decisions: Decisions,
}

/// An expression, ready to be printed.
#[derive(Clone, Debug)]
pub struct Expression {
    shape: Shape,
    names: BTreeSet<String>,
}

impl<'s> Expressions<'s> {
    /// Prepares expressions of the types of this schema, whose sticky decisions are `boxed`.
    ///
    /// # Errors
    /// `BadDecision`.
    pub fn new(schema: &'s Schema, boxed: &str) -> Result<Self, EmitError> {
        let decisions = layout::parse(boxed).map_err(EmitError::BadDecision)?;
        let (decisions, _) = Boxing::decide(schema, decisions);
        Ok(Self { schema, decisions })
    }

    /// The expression of a method's call, or of a constructor that has fields.
    #[must_use]
    pub fn of(&self, object: &Object<'_>) -> Expression {
        let mut names = BTreeSet::new();
        let shape = self.structure(object, &mut names);
        Expression { shape, names }
    }

    /// A struct: what it needs by name, or by the constructor function where most is optional.
    fn structure(&self, object: &Object<'_>, names: &mut BTreeSet<String>) -> Shape {
        let definition = object.definition();
        let kind = if definition.is_function { "" } else { "types" };
        let path = path(kind, &definition.name, names);
        let params: Vec<&Param> =
            definition.params.iter().filter(|param| param.ty != Type::Nat).collect();
        if params.is_empty() {
            return Shape::Word(path);
        }
        let optional = params.iter().filter(|param| param.flag.is_some()).count();
        let required = params.len() - optional;
        let set = object.fields().filter(|(name, _)| {
            params.iter().any(|param| param.name == *name && param.flag.is_some())
        });
        let set = set.count();
        let named = |names: &mut BTreeSet<String>, all: bool| {
            let mut fields = Vec::new();
            for param in &params {
                let value = object.get(&param.name);
                if value.is_some() || all {
                    fields.push((field(&param.name), self.field(definition, param, value, names)));
                }
            }
            fields
        };
        if optional == 0 || set == optional {
            return Shape::Struct { path, fields: named(names, true), rest: None };
        }
        if required == 0 && set == 0 {
            return Shape::Call { callee: format!("{path}::new"), arguments: Vec::new() };
        }
        if required == 0 {
            let rest = Shape::Call { callee: "Default::default".to_owned(), arguments: Vec::new() };
            let rest = Some(Box::new(rest));
            return Shape::Struct { path, fields: named(names, false), rest };
        }
        let is_short = required <= FEW_ARGUMENTS && set == 0;
        if !is_short && optional <= FEW_OPTIONAL {
            return Shape::Struct { path, fields: named(names, true), rest: None };
        }
        let arguments = params.iter().filter(|param| param.flag.is_none());
        let arguments = arguments
            .filter_map(|param| Some(self.argument(param, object.get(&param.name)?, names)));
        let call = Shape::Call { callee: format!("{path}::new"), arguments: arguments.collect() };
        if set == 0 {
            return call;
        }
        let fields = params.iter().filter(|param| param.flag.is_some()).filter_map(|param| {
            let value = object.get(&param.name)?;
            Some((field(&param.name), self.field(definition, param, Some(value), names)))
        });
        Shape::Struct { path, fields: fields.collect(), rest: Some(Box::new(call)) }
    }

    /// What stands behind a field's name: boxed, optional or plain.
    fn field(
        &self,
        definition: &Definition,
        param: &Param,
        value: Option<&Value<'_>>,
        names: &mut BTreeSet<String>,
    ) -> Shape {
        let Some(value) = value else {
            return Shape::word(if param.ty == Type::True { "false" } else { "None" });
        };
        let mut shape = self.value(&param.ty, value, names);
        if self.decisions.get(&place(definition, param)).copied().unwrap_or_default() {
            shape = Shape::call("Box::new", shape);
        }
        if param.flag.is_some() && param.ty != Type::True {
            shape = Shape::call("Some", shape);
        }
        shape
    }

    /// An argument of a constructor function, which converts and boxes by itself.
    fn argument(&self, param: &Param, value: &Value<'_>, names: &mut BTreeSet<String>) -> Shape {
        match (&param.ty, value) {
            (Type::String, Value::String(text)) => Shape::Word(quoted(text)),
            (Type::Bytes, Value::Bytes(bytes)) => {
                Shape::Chain(Box::new(Shape::Word(byte_string(bytes))), vec![".as_slice()"])
            }
            (Type::Boxed(_), Value::Object(object)) if !object.definition().params.is_empty() => {
                self.structure(object, names)
            }
            (ty, value) => self.value(ty, value, names),
        }
    }

    fn value(&self, ty: &Type, value: &Value<'_>, names: &mut BTreeSet<String>) -> Shape {
        match value {
            Value::Bool(value) => Shape::Word(value.to_string()),
            Value::Bytes(bytes) => {
                let literal = Shape::Word(byte_string(bytes));
                Shape::Chain(Box::new(literal), vec![".as_slice()", ".into()"])
            }
            Value::Double(value) => Shape::Word(format!("{value:?}")),
            Value::Int(value) => Shape::Word(value.to_string()),
            Value::Int128(bytes) => Shape::Word(format!("*{}", byte_string(bytes))),
            Value::Int256(bytes) => Shape::Word(format!("*{}", byte_string(bytes))),
            Value::Long(value) => Shape::Word(value.to_string()),
            Value::Object(object) => self.object(ty, object, names),
            Value::String(text) => {
                Shape::Chain(Box::new(Shape::Word(quoted(text))), vec![".into()"])
            }
            Value::Vector(items) => {
                let item = match ty {
                    Type::Vector { item, .. } => item,
                    other => other,
                };
                Shape::Vec(items.iter().map(|value| self.value(item, value, names)).collect())
            }
        }
    }

    /// A constructor where its type is wanted: a struct, or a variant of the type's enum.
    fn object(&self, ty: &Type, object: &Object<'_>, names: &mut BTreeSet<String>) -> Shape {
        let definition = object.definition();
        let name = match ty {
            Type::Boxed(name) if self.schema.constructors(name).len() > 1 => name,
            _ => return self.structure(object, names),
        };
        let callee = format!("{}::{}", path("enums", name, names), variant(name, &definition.name));
        if definition.params.is_empty() {
            return Shape::Word(callee);
        }
        let mut inner = self.structure(object, names);
        if self.decisions.get(&definition.name).copied().unwrap_or_default() {
            inner = Shape::call("Box::new", inner);
        }
        Shape::Call { callee, arguments: vec![inner] }
    }
}

impl Expression {
    /// Prints the expression by itself.
    #[must_use]
    pub fn print(&self) -> String {
        self.shape.print(0, 0, 0)
    }

    /// Prints the statement that begins with `head`, such as `let request =`, and is indented by
    /// `indent` columns, but for those.
    #[must_use]
    pub fn print_statement(&self, head: &str, indent: usize) -> String {
        self.shape.print_behind(head, indent, 1) + ";"
    }

    /// What of the generated crate the expression names: `account`, `types`, `InvokeWithLayer`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether it is one word: a method without parameters.
    #[must_use]
    pub fn is_word(&self) -> bool {
        matches!(self.shape, Shape::Word(_))
    }
}

/// The path of a struct or an enum from the root of the generated crate, whose first part is noted.
fn path(kind: &str, name: &str, names: &mut BTreeSet<String>) -> String {
    let mut parts = Vec::new();
    if !kind.is_empty() {
        parts.push(kind.to_owned());
    }
    if let Some((namespace, _)) = name.split_once('.') {
        parts.push(module(namespace));
    }
    parts.push(pascal(name));
    names.extend(parts.first().cloned());
    parts.join("::")
}

/// A string literal.
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            other if other.is_control() => literal.extend(other.escape_unicode()),
            other => literal.push(other),
        }
    }
    literal + "\""
}

/// A byte string literal.
fn byte_string(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii()).replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::Expressions;
    use crate::api;
    use crate::value::Object;

    fn printed(method: &str, json: &Json) -> String {
        let boxed = include_str!("../../../../schema/boxed.txt");
        let expressions = Expressions::new(api(), boxed).unwrap();
        let call = Object::call_from_json(api(), method, json).unwrap();
        expressions.of(&call).print_statement("let request =", 4)
    }

    #[test]
    fn a_call_is_written_by_names_as_long_as_it_has_few_optional_fields() {
        assert_eq!(
            printed("account.getPassword", &json!({})),
            "let request = account::GetPassword;"
        );
        assert_eq!(
            printed("account.resetWebAuthorization", &json!({ "hash": 4457235 })),
            "let request = account::ResetWebAuthorization { hash: 4457235 };"
        );
        let settings = json!({ "allow_flashcall": true });
        assert_eq!(
            printed(
                "account.sendVerifyPhoneCode",
                &json!({ "phone_number": "+1", "settings": settings })
            ),
            "let request = account::SendVerifyPhoneCode {
        phone_number: \"+1\".into(),
        settings: types::CodeSettings {
            allow_flashcall: true,
            ..Default::default()
        },
    };"
        );
    }

    #[test]
    fn what_is_required_of_many_fields_goes_to_the_constructor_function() {
        let peer = json!({ "_": "inputPeerSelf" });
        let call = json!({ "peer": peer, "message": "a \"b\"", "random_id": "-7", "silent": true });
        assert_eq!(
            printed("messages.sendMessage", &call),
            r#"let request = messages::SendMessage {
        silent: true,
        ..messages::SendMessage::new(enums::InputPeer::InputPeerSelf, "a \"b\"", -7)
    };"#
        );
    }

    #[test]
    fn what_is_boxed_is_boxed_and_bytes_are_byte_strings() {
        let proof = json!({ "_": "inputCheckPasswordSRP", "srp_id": 1, "A": "AEE=", "M1": "" });
        assert_eq!(
            printed("auth.checkPassword", &json!({ "password": proof })),
            r#"let request = auth::CheckPassword {
        password: enums::InputCheckPasswordSrp::InputCheckPasswordSrp(Box::new(
            types::InputCheckPasswordSrp {
                srp_id: 1,
                a: b"\x00A".as_slice().into(),
                m1: b"".as_slice().into(),
            },
        )),
    };"#
        );
    }
}
