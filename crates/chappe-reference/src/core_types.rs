//! The types that every other is made of: what each is on the wire, and how programs write it.

use crate::Kind;

/// A type of TL itself.
#[derive(Clone, Copy, Debug)]
pub struct CoreType {
    /// Its name as parameters have it: `long`, `#`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What it is on the wire, in a paragraph with code in backticks.
    pub wire: &'static str,
    /// A value as TL-JSON, and its bytes in hexadecimal digits; `None` where it is never written alone.
    pub sample: Option<(&'static str, &'static str)>,
    /// How it is written, by language; code in backticks.
    pub written: &'static [(&'static str, &'static str)],
}

impl CoreType {
    /// Its page: its own, or that of what it is in the schema, too.
    #[must_use]
    pub fn page(&self) -> (Kind, &'static str) {
        let also = ALSO.iter().find(|(core, ..)| *core == self.name);
        also.map_or((Kind::Core, self.name), |(_, kind, name)| (*kind, *name))
    }

    /// The file of its page, without an ending: its name, as far as a file can be called so.
    #[must_use]
    pub(crate) fn file(&self) -> &'static str {
        match self.name {
            "#" => "flags",
            "!X" => "X",
            name => name,
        }
    }
}

/// All of them.
pub const CORE_TYPES: &[CoreType] = &[
    CoreType {
        name: "int",
        about: "A whole number of 32 bits with a sign.",
        wire: "Four bytes, the lowest first.",
        sample: Some(("-2", "fe ff ff ff")),
        written: &[
            (JSON, "a number, `-2`"),
            (RUST, "`i32`"),
            (SCRIPT, "`number`"),
            (PYTHON, "`int`; Telethon takes and gives some times as `datetime`"),
        ],
    },
    CoreType {
        name: "long",
        about: "A whole number of 64 bits with a sign: ids, access hashes, random numbers.",
        wire: "Eight bytes, the lowest first. A number of JavaScript, and of many readers of JSON, is exact up to \
               9007199254740991 only: whoever keeps a `long` in one gets another number.",
        sample: Some(("\"4457235\"", "13 03 44 00 00 00 00 00")),
        written: &[
            (JSON, "its digits as text, `\"4457235\"`; a number is read, too"),
            (RUST, "`i64`"),
            (
                SCRIPT,
                "what the package `big-integer` makes, `bigInt(\"4457235\")`; JavaScript may give a small one as \
                 `4457235`; answers have `bigInt`",
            ),
            (PYTHON, "`int`"),
        ],
    },
    CoreType {
        name: "double",
        about: "A number with a fraction.",
        wire: "Eight bytes: the double of IEEE 754, the lowest byte first.",
        sample: Some(("1.5", "00 00 00 00 00 00 f8 3f")),
        written: &[
            (JSON, "a number, `1.5`; `\"NaN\"`, `\"Infinity\"` and `\"-Infinity\"` as text"),
            (RUST, "`f64`"),
            (SCRIPT, "`number`"),
            (PYTHON, "`float`"),
        ],
    },
    CoreType {
        name: "string",
        about: "Text in UTF-8.",
        wire: "Its length in bytes, the bytes, and zeros until the whole is a multiple of four. The length is one byte \
               up to 253; above, it is the byte 254 and three more, the lowest first, so that no text is longer than \
               16777215 bytes.",
        sample: Some(("\"hi\"", "02 68 69 00")),
        written: &[
            (JSON, "text, `\"hi\"`"),
            (RUST, "`Text`, made by `\"hi\".into()`"),
            (SCRIPT, "`string`"),
            (PYTHON, "`str`"),
        ],
    },
    CoreType {
        name: "bytes",
        about: "Bytes that are no text: hashes, keys, parts of files.",
        wire: "As a `string`: the length, the bytes, and zeros until the whole is a multiple of four.",
        sample: Some(("\"AP8=\"", "02 00 ff 00")),
        written: &[
            (JSON, "base64 with padding, `\"AP8=\"`"),
            (RUST, "`Bytes`, made by `vec![0, 255].into()`"),
            (SCRIPT, "`Buffer`, made by `Buffer.from(\"00ff\", \"hex\")`"),
            (PYTHON, "`bytes`, `b\"\\x00\\xff\"`"),
        ],
    },
    CoreType {
        name: "Bool",
        about: "Yes or no, as an answer or a required parameter.",
        wire: "The id of `boolTrue` or of `boolFalse`: four bytes, the lowest first.",
        sample: Some(("true", "b5 75 72 99")),
        written: &[
            (JSON, "`true` or `false`"),
            (RUST, "`bool`"),
            (SCRIPT, "`boolean`"),
            (PYTHON, "`bool`"),
        ],
    },
    CoreType {
        name: "true",
        about: "A flag: an optional parameter that is nothing but there or not.",
        wire: "No bytes of its own, only its bit in the word of the flags (`#`). Absent is no.",
        sample: None,
        written: &[
            (JSON, "`true`, or left out"),
            (RUST, "`bool`"),
            (SCRIPT, "`true`, or left out"),
            (PYTHON, "`True`, or left out"),
        ],
    },
    CoreType {
        name: "#",
        about: "A word of flags, one bit for each optional parameter: the parameter `x:flags.3?int` is there if bit 3 is set.",
        wire: "Four bytes, the lowest first.",
        sample: None,
        written: &[(
            "Every language",
            "never written: a library sets the bits of what it is given",
        )],
    },
    CoreType {
        name: "Vector",
        about: "A list of values of one type: `Vector<long>`.",
        wire: "The id `0x1cb5c415`, how many there are as an `int`, and the values one after the other. A small \
               `vector` has no id in front.",
        sample: Some(("[1, 2]", "15 c4 b5 1c 02 00 00 00 01 00 00 00 02 00 00 00")),
        written: &[
            (JSON, "a list, `[1, 2]`"),
            (RUST, "`Vec`, `vec![1, 2]`"),
            (SCRIPT, "an array, `[1, 2]`"),
            (PYTHON, "a `list`, `[1, 2]`"),
        ],
    },
    CoreType {
        name: "int128",
        about: "16 bytes of the key exchange: nonces. No parameter of a method is one.",
        wire: "The 16 bytes as they are.",
        sample: Some((
            "\"AAECAwQFBgcICQoLDA0ODw==\"",
            "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        )),
        written: &[
            (JSON, "base64 with padding"),
            (RUST, "`[u8; 16]`"),
            (SCRIPT, "what the package `big-integer` makes, the lowest byte first"),
            (PYTHON, "`int`, the lowest byte first"),
        ],
    },
    CoreType {
        name: "int256",
        about: "32 bytes: the public key of a conference call, the new nonce of the key exchange.",
        wire: "The 32 bytes as they are.",
        sample: Some((
            "\"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=\"",
            "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        )),
        written: &[
            (JSON, "base64 with padding"),
            (RUST, "`[u8; 32]`"),
            (SCRIPT, "what the package `big-integer` makes, the lowest byte first"),
            (PYTHON, "`int`, the lowest byte first"),
        ],
    },
    CoreType {
        name: "!X",
        about: "A request inside of another one, such as `invokeWithLayer`, whose answer is that of the request inside: `X`.",
        wire: "The bytes of the request, with its id.",
        sample: None,
        written: &[
            (JSON, "the request, `{\"_\": \"help.getConfig\"}`"),
            (RUST, "the request; its type is a parameter of the outer one"),
            (SCRIPT, "the request, `new Api.help.GetConfig()`"),
            (PYTHON, "the request, `functions.help.GetConfigRequest()`"),
        ],
    },
];

/// Those that have a page of their own.
pub fn with_page() -> impl Iterator<Item = &'static CoreType> {
    CORE_TYPES.iter().filter(|core| core.page().0 == Kind::Core)
}

/// The core type that something with a page is, too.
#[must_use]
pub fn also(kind: Kind, name: &str) -> Option<&'static CoreType> {
    let (core, ..) = ALSO.iter().find(|(_, of, also)| (*of, *also) == (kind, name))?;
    core_type(core)
}

/// The type of this name; the answer `X` is that of `!X`.
#[must_use]
pub fn core_type(name: &str) -> Option<&'static CoreType> {
    let name = if name == "X" { "!X" } else { name };
    CORE_TYPES.iter().find(|it| it.name == name)
}

/// Those that the schema defines, too: the page that they share first, then others of the same.
const ALSO: &[(&str, Kind, &str)] = &[
    ("Bool", Kind::Type, "Bool"),
    ("Vector", Kind::Type, "Vector<t>"),
    ("Vector", Kind::Constructor, "vector"),
    ("true", Kind::Constructor, "true"),
    ("true", Kind::Type, "True"),
];

const JSON: &str = "TL-JSON";
const RUST: &str = "Rust";
const SCRIPT: &str = "JavaScript, TypeScript";
const PYTHON: &str = "Python";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chappe_schema::{api, mtproto, parse, value};

    use super::CORE_TYPES;

    #[test]
    fn what_is_said_of_the_wire_is_what_is_written() {
        for core in CORE_TYPES {
            let Some((json, hex)) = core.sample else { continue };
            let ty = if core.name == "Vector" { "Vector<int>" } else { core.name };
            let schema = format!("---functions---\nf#00000001 v:{ty} = Bool;\n");
            let schema = parse(&format!("{BASIC}{schema}")).unwrap();
            let call = serde_json::json!({ "v": serde_json::from_str::<serde_json::Value>(json).unwrap() });
            let bytes = value::encode_call(&schema, "f", &call).unwrap();
            let written: Vec<String> =
                bytes[4..].iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(written.join(" "), hex, "{}", core.name);
        }
    }

    #[test]
    fn every_type_without_a_page_is_among_them() {
        let params =
            api().definitions().iter().chain(mtproto().definitions()).flat_map(|it| &it.params);
        let small: BTreeSet<String> = params
            .map(|param| param.ty.to_string())
            .filter(|ty| {
                ty.chars()
                    .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "#!X".contains(it))
            })
            .collect();
        assert!(small.len() >= 9, "{small:?}");
        for ty in small {
            assert!(super::core_type(&ty).is_some(), "{ty}");
        }
    }

    /// What the schema's parser and codec need of a schema.
    const BASIC: &str = "boolFalse#bc799737 = Bool;\nboolTrue#997275b5 = Bool;\nvector#1cb5c415 {t:Type} # [ t ] = Vector t;\n";
}
