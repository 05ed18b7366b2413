//! From the text of a schema to its definitions (core.telegram.org/mtproto/TL-formal).

use crate::ast::{Definition, Flag, Param, Schema, Type};
use crate::id::compute_id;

/// A schema that cannot be read: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The bit of a flag is no number from 0 to 31.
    #[error("`{0}` is not a bit from 0 to 31")]
    BadBit(String),
    /// The id behind `#` is not a number of up to eight hexadecimal digits.
    #[error("`{0}` is not an id of up to eight hexadecimal digits")]
    BadId(String),
    /// A name is empty or has a character that names do not have.
    #[error("`{0}` is not a name")]
    BadName(String),
    /// A parameter is not of the form `name:type`.
    #[error("`{0}` is not a parameter; write `name:type`")]
    BadParam(String),
    /// A type is not closed or has no name.
    #[error("`{0}` is not a type")]
    BadType(String),
    /// Two definitions share an id or a name.
    #[error("the id or the name of `{0}` is taken by a line above")]
    Duplicate(String),
    /// A definition has no `= Type`.
    #[error("the definition has no `= Type`")]
    NoResult,
    /// A definition has no semicolon at its end.
    #[error("the definition does not end with `;`")]
    NoSemicolon,
    /// A flag names a parameter that is no flag word above it.
    #[error("there is no flag word `{0}:#` before this parameter")]
    NoFlagWord(String),
}

/// Reads the text of a schema, one definition a line.
///
/// # Errors
/// At the first line that is neither a definition, a section nor a comment.
pub fn parse(text: &str) -> Result<Schema, ParseError> {
    let layer = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("//"))
        .find_map(|line| line.trim().strip_prefix("LAYER")?.trim().parse().ok());
    let mut schema = Schema::new(layer);
    let mut is_function = false;
    for (index, whole) in text.lines().enumerate() {
        let code = whole.split("//").next().unwrap_or_default().trim();
        match code {
            "" => continue,
            "---functions---" => is_function = true,
            "---types---" => is_function = false,
            _ => {
                let line = Line { whole, number: index + 1 };
                let definition = line.definition(code, is_function)?;
                schema.insert(definition).map_err(|taken| {
                    line.error(code, ParseErrorKind::Duplicate(taken.name.clone()))
                })?;
            }
        }
    }
    Ok(schema)
}

/// A line, kept whole so that errors can point into it.
#[derive(Clone, Copy)]
struct Line<'a> {
    whole: &'a str,
    number: usize,
}

impl<'a> Line<'a> {
    /// An error at `part`, which is a slice of this line.
    fn error(self, part: &str, kind: ParseErrorKind) -> ParseError {
        let start = (part.as_ptr() as usize).saturating_sub(self.whole.as_ptr() as usize);
        let before = self.whole.get(..start).unwrap_or_default();
        ParseError { kind, line: self.number, column: before.chars().count() + 1 }
    }

    fn definition(self, code: &'a str, is_function: bool) -> Result<Definition, ParseError> {
        let body = code
            .strip_suffix(';')
            .ok_or_else(|| self.error(code, ParseErrorKind::NoSemicolon))?
            .trim();
        let (left, result) =
            body.rsplit_once('=').ok_or_else(|| self.error(body, ParseErrorKind::NoResult))?;
        let mut words = left.split_whitespace();
        let head = words.next().ok_or_else(|| self.error(body, bad_name("")))?;
        let (name, id) = match head.split_once('#') {
            Some((name, id)) => (name, self.id(id)?),
            None => (head, compute_id(body)),
        };
        self.name(name)?;
        let mut params: Vec<Param> = Vec::new();
        let mut variables: Vec<&str> = Vec::new();
        for word in words {
            if let Some(variable) = word.strip_prefix('{') {
                variables.push(variable.split(':').next().unwrap_or_default());
            } else if matches!(word, "#" | "[" | "]") || variables.contains(&word) {
                // The body of `vector {t:Type} # [ t ]`: codecs know it by heart.
            } else {
                let param = self.param(word, &params, &variables)?;
                params.push(param);
            }
        }
        let result = result.trim();
        let result = match result.split_once(char::is_whitespace) {
            Some((_, variable)) if variables.contains(&variable.trim()) => {
                let item = Box::new(Type::Variable(variable.trim().to_owned()));
                Type::Vector { item, bare: false }
            }
            _ => self.ty(result, &variables)?,
        };
        let (name, text) = (name.to_owned(), body.to_owned());
        Ok(Definition { name, id, params, result, is_function, text, line: self.number })
    }

    fn id(self, digits: &str) -> Result<u32, ParseError> {
        let is_hex = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(if is_hex { digits } else { "" }, 16)
            .map_err(|_| self.error(digits, ParseErrorKind::BadId(digits.to_owned())))
    }

    fn name(self, name: &str) -> Result<(), ParseError> {
        let is_name = name.split('.').count() <= 2
            && name.split('.').all(|part| {
                part.starts_with(|c: char| c.is_ascii_alphabetic())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            });
        if is_name { Ok(()) } else { Err(self.error(name, bad_name(name))) }
    }

    fn param(self, word: &str, above: &[Param], variables: &[&str]) -> Result<Param, ParseError> {
        let (name, ty) = word
            .split_once(':')
            .ok_or_else(|| self.error(word, ParseErrorKind::BadParam(word.to_owned())))?;
        self.name(name)?;
        let (flag, ty) = match ty.split_once('?') {
            Some((flag, ty)) => (Some(self.flag(flag, above)?), ty),
            None => (None, ty),
        };
        let ty = match ty.strip_prefix('!') {
            Some(variable) if variables.contains(&variable) => Type::Query,
            _ => self.ty(ty, variables)?,
        };
        Ok(Param { name: name.to_owned(), ty, flag })
    }

    fn flag(self, text: &str, above: &[Param]) -> Result<Flag, ParseError> {
        let (word, bit) = text.split_once('.').unwrap_or((text, ""));
        let field = above
            .iter()
            .position(|param| param.name == word && param.ty == Type::Nat)
            .ok_or_else(|| self.error(text, ParseErrorKind::NoFlagWord(word.to_owned())))?;
        let bit = bit
            .parse()
            .ok()
            .filter(|bit| *bit < 32)
            .ok_or_else(|| self.error(bit, ParseErrorKind::BadBit(bit.to_owned())))?;
        Ok(Flag { field, bit })
    }

    fn ty(self, text: &str, variables: &[&str]) -> Result<Type, ParseError> {
        let bad = || self.error(text, ParseErrorKind::BadType(text.to_owned()));
        if let Some((head, item)) = text.split_once('<') {
            let item = item.strip_suffix('>').ok_or_else(bad)?;
            let bare = match head {
                "Vector" => false,
                "vector" => true,
                _ => return Err(bad()),
            };
            return Ok(Type::Vector { item: Box::new(self.ty(item, variables)?), bare });
        }
        Ok(match text {
            "#" => Type::Nat,
            "Bool" => Type::Bool,
            "Object" => Type::Object,
            "bytes" => Type::Bytes,
            "double" => Type::Double,
            "int" => Type::Int,
            "int128" => Type::Int128,
            "int256" => Type::Int256,
            "long" => Type::Long,
            "string" => Type::String,
            "true" => Type::True,
            _ if variables.contains(&text) => Type::Variable(text.to_owned()),
            _ => {
                let bare = text.strip_prefix('%');
                let name = bare.unwrap_or(text);
                self.name(name).map_err(|_| bad())?;
                let short = name.rsplit('.').next().unwrap_or_default();
                let is_bare = bare.is_some() || short.starts_with(|c: char| c.is_ascii_lowercase());
                if is_bare { Type::Bare(name.to_owned()) } else { Type::Boxed(name.to_owned()) }
            }
        })
    }
}

fn bad_name(name: &str) -> ParseErrorKind {
    ParseErrorKind::BadName(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ParseErrorKind, parse};
    use crate::ast::{Flag, Type};

    fn fails(text: &str, line: usize, column: usize, kind: ParseErrorKind) {
        let error = parse(text).unwrap_err();
        assert_eq!((error.line, error.column, error.kind), (line, column, kind), "{text}");
    }

    #[test]
    fn a_line_becomes_a_definition() {
        let schema = parse(
            "// LAYER 7\n\nuser#1f flags:# self:flags.0?true flags2:# \
             names:flags2.31?Vector<string> = contacts.User; // a comment\n\
             ---functions---\nusers.get#2 {X:Type} query:!X ids:vector<%user> = X;\n",
        )
        .unwrap();
        assert_eq!(schema.layer(), Some(7));
        let user = schema.get(0x1f).unwrap();
        assert_eq!((user.name.as_str(), user.line, user.is_function), ("user", 3, false));
        assert_eq!(user.result, Type::Boxed("contacts.User".into()));
        assert_eq!(user.params[1].flag, Some(Flag { field: 0, bit: 0 }));
        assert_eq!(user.params[3].flag, Some(Flag { field: 2, bit: 31 }));
        let item = Box::new(Type::String);
        assert_eq!(user.params[3].ty, Type::Vector { item, bare: false });
        assert_eq!(schema.constructors("contacts.User"), [user]);
        let get = schema.find("users.get").unwrap();
        assert_eq!((get.namespace(), get.short_name()), (Some("users"), "get"));
        assert!(get.is_function && get.is_generic());
        let item = Box::new(Type::Bare("user".into()));
        assert_eq!(get.params[1].ty, Type::Vector { item, bare: true });
        assert_eq!(get.params[0].ty, Type::Query);
    }

    #[test]
    fn the_bundled_schemas_are_whole() {
        let api = crate::api();
        assert_eq!((api.layer(), api.definitions().len()), (Some(230), 2554));
        assert_eq!(api.functions().count(), 850);
        assert_eq!(api.types().count(), 650);
        let salts = crate::mtproto().find("future_salts").unwrap();
        assert_eq!(salts.params[2].ty.to_string(), "vector<future_salt>");
    }

    #[test]
    fn errors_point_at_their_place() {
        fails("a#1 = A", 1, 1, ParseErrorKind::NoSemicolon);
        fails("\n  a#1 b:int;", 2, 3, ParseErrorKind::NoResult);
        fails("a#xyz = A;", 1, 3, ParseErrorKind::BadId("xyz".into()));
        fails("a#123456789 = A;", 1, 3, ParseErrorKind::BadId("123456789".into()));
        fails("a#+1 = A;", 1, 3, ParseErrorKind::BadId("+1".into()));
        fails("é#1 = A;", 1, 1, ParseErrorKind::BadName("é".into()));
        fails("a#1 b = A;", 1, 5, ParseErrorKind::BadParam("b".into()));
        fails("a#1 b:Vector<int = A;", 1, 7, ParseErrorKind::BadType("Vector<int".into()));
        fails("a#1 b:Set<int> = A;", 1, 7, ParseErrorKind::BadType("Set<int>".into()));
        fails("a#1 b:f.0?int = A;", 1, 7, ParseErrorKind::NoFlagWord("f".into()));
        fails("a#1 f:int b:f.0?int = A;", 1, 13, ParseErrorKind::NoFlagWord("f".into()));
        fails("a#1 f:# b:f.32?int = A;", 1, 13, ParseErrorKind::BadBit("32".into()));
        fails("a#1 = A;\nb#1 = A;", 2, 1, ParseErrorKind::Duplicate("b".into()));
        fails("a#1 = A;\na#2 = A;", 2, 1, ParseErrorKind::Duplicate("a".into()));
    }
}
