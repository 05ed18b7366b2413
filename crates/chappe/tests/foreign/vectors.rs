//! What the other libraries wrote; `tests/vectors/foreign/README.md` says how.

use std::{collections::HashMap, path::PathBuf};

use chappe::session::{Foreign, Format};
use serde_json::Value;

/// One string that a library wrote, and what it was told to write.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) library: String,
    pub(crate) text: String,
    pub(crate) format: Format,
    pub(crate) key: [u8; 256],
    says: Value,
}

impl Vector {
    /// The session that the string should be read as.
    pub(crate) fn session(&self) -> Foreign {
        let number = |name: &str| self.says[name].as_i64();
        let mut session = Foreign::new(number("dc").unwrap() as i32, self.key);
        let host = self.says["address"].as_str();
        session.address = host.map(|host| at(host, number("port").unwrap()));
        session.user_id = number("user_id").filter(|user_id| *user_id != 0);
        session.bot = session.user_id.and_then(|_| self.says["bot"].as_bool());
        session.test = self.says["test"].as_bool();
        session.api_id =
            number("api_id").filter(|id| *id != 0).map(|id| i32::try_from(id).unwrap());
        session
    }

    pub(crate) fn api_id(&self) -> Option<i64> {
        self.says["api_id"].as_i64()
    }
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/foreign")
}

fn parse(file: &str) -> (HashMap<String, [u8; 256]>, Vec<Value>) {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let hex = |text: &str| {
        let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
        std::array::from_fn(byte)
    };
    let keys = all["keys"].as_object().unwrap();
    let keys = keys.iter().map(|(name, key)| (name.clone(), hex(key.as_str().unwrap()))).collect();
    let Value::Array(vectors) = all["vectors"].take() else { panic!("no vectors") };
    (keys, vectors)
}

/// An address as chappe writes it.
pub(crate) fn at(host: &str, port: i64) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// A key of the vectors by its name.
pub(crate) fn key(name: &str) -> [u8; 256] {
    parse("python.json").0[name]
}

/// All strings.
pub(crate) fn strings() -> Vec<Vector> {
    let mut found = Vec::new();
    for file in ["python.json", "node.json"] {
        let (keys, vectors) = parse(file);
        for says in vectors {
            let text = |name: &str| says[name].as_str().map(str::to_owned);
            let Some(string) = text("text") else { continue };
            found.push(Vector {
                name: text("name").unwrap(),
                library: text("library").unwrap(),
                text: string,
                format: text("format").unwrap().parse().unwrap(),
                key: keys[says["key"].as_str().unwrap()],
                says,
            });
        }
    }
    assert!(found.len() > 90, "{}", found.len());
    found
}

/// One string of each format that is one.
pub(crate) fn one_of_each() -> Vec<Vector> {
    let mut found = Vec::<Vector>::new();
    for vector in strings() {
        if found.iter().all(|other| other.format != vector.format) {
            found.push(vector);
        }
    }
    assert_eq!(found.len(), 5);
    found
}
