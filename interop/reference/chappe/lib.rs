//! chappe, whose clients go to the server that `CHAPPE_SERVER` names, with the key in the file
//! `CHAPPE_SERVER_KEY`; without these to Telegram. Those that name no session begin with the one in the file
//! `CHAPPE_REFERENCE_SESSION`. So the examples of the reference meet the local Telegram without a change.

use std::{env, fs};

pub use bytes::Bytes;
// What is of the same name below comes before it.
pub use real::*;

#[cfg(feature = "answers")]
mod answers;
#[cfg(feature = "answers")]
pub use answers::Client;

/// Where clients come from.
#[cfg(not(feature = "answers"))]
pub struct Client;

#[cfg(not(feature = "answers"))]
impl Client {
    /// As `chappe::Client::builder`.
    pub fn builder(api_id: i32, api_hash: impl Into<String>) -> Builder {
        builder(api_id, api_hash)
    }
}

fn builder(api_id: i32, api_hash: impl Into<String>) -> Builder {
    let builder = real::Client::builder(api_id, api_hash);
    let Ok(address) = env::var("CHAPPE_SERVER") else { return builder };
    let path = env::var("CHAPPE_SERVER_KEY").expect("name the key's file: CHAPPE_SERVER_KEY");
    let key = fs::read_to_string(path).expect("the server's key can be read");
    let builder = builder.server(address, &key).expect("address and key are good");
    match env::var("CHAPPE_REFERENCE_SESSION") {
        Ok(file) => builder.session(file),
        Err(_) => builder,
    }
}
