//! Prints random values of every definition of a layer, one JSON object a line: the name, the
//! bytes in hexadecimal, the JSON form. Codecs that are not ours read and rewrite the bytes
//! (`interop/codec`).
//!
//! ```sh
//! cargo run -p chappe-schema --example random-values -- --layer 198 --count 4 --seed 1
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _, stdout};

use chappe_schema::Type;
use chappe_schema::layers::Layers;
use chappe_schema::value::random::Random;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut layer, mut count, mut seed) = (230, 1, 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--layer" => layer = value.parse()?,
            "--count" => count = value.parse()?,
            "--seed" => seed = value.parse()?,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    let layers = Layers::new();
    if !layers.held().any(|held| held == layer) {
        return Err(format!("layer {layer} is not held").into());
    }
    let schema = layers.schema(layer);
    let mut random = Random::new(&schema, seed);
    let mut out = BufWriter::new(stdout().lock());
    for definition in schema.definitions() {
        // Codecs know `Vector` and `Bool` by heart; they have no values of their own.
        let is_core = definition.id == chappe_tl::VECTOR || definition.result == Type::Bool;
        if is_core && !definition.is_function {
            continue;
        }
        for _ in 0..count {
            let object = random.object(definition);
            let mut bytes = Vec::new();
            object.encode(&mut bytes)?;
            let mut hex = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                write!(hex, "{byte:02x}")?;
            }
            let line = serde_json::json!({
                "name": object.name(),
                "method": definition.is_function,
                "hex": hex,
                "json": object.to_json(),
            });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(())
}
