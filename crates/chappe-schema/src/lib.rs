//! TL schemas: parser, facts about methods, dynamic codec, layers.
//!
//! A [`Schema`] is the parsed text of a `.tl` file; [`api`] and [`mtproto`] are those that
//! this repository carries.
//!
//! ```
//! let schema = chappe_schema::api();
//! let reset = schema.find("account.resetWebAuthorization").unwrap();
//! assert_eq!(reset.id, 0x2d01_b9ef);
//! assert_eq!(schema.constructors("Bool").len(), 2);
//! ```

use std::sync::LazyLock;

mod ast;
#[cfg(feature = "emit")]
pub mod emit;
mod facts;
mod id;
pub mod layers;
mod parse;
pub mod value;
#[cfg(feature = "words")]
pub mod words;

pub use ast::{Definition, Flag, Param, Schema, Type};
pub use chappe_tl::ErrorName;
pub use facts::{FACTS_LAYER, Facts, one_of};
pub use id::{IRREGULAR_IDS, compute_id, normal_form};
pub use parse::{ParseError, ParseErrorKind, parse};

/// The text of the API schema, `schema/api.tl`.
pub const API_TEXT: &str = include_str!("../../../schema/api.tl");

/// The text of the schema of MTProto itself, `schema/mtproto.tl`.
pub const MTPROTO_TEXT: &str = include_str!("../../../schema/mtproto.tl");

/// The text of the facts about the API's methods, `schema/errors.json`.
pub const FACTS_TEXT: &str = include_str!("../../../schema/errors.json");

/// The API schema of the newest layer that this repository carries.
#[must_use]
pub fn api() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| bundled(API_TEXT));
    &SCHEMA
}

/// The schema of MTProto itself: key exchange, service messages.
#[must_use]
pub fn mtproto() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| bundled(MTPROTO_TEXT));
    &SCHEMA
}

/// The facts about the API's methods.
#[must_use]
#[expect(clippy::expect_used, reason = "the text is part of the program and tests parse it")]
pub fn facts() -> &'static Facts {
    static FACTS: LazyLock<Facts> =
        LazyLock::new(|| Facts::parse(FACTS_TEXT).expect("the bundled facts parse"));
    &FACTS
}

#[expect(clippy::expect_used, reason = "the text is part of the program and tests parse it")]
fn bundled(text: &str) -> Schema {
    parse(text).expect("the bundled schema parses")
}
