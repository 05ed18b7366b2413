//! Logs out of one website that the account is logged in to with Telegram, by the one call of the API that
//! does it.
//!
//! ```text
//! cargo run -p chappe --example reset_web_authorization
//! ```
//!
//! `telegram/mod.rs` says which Telegram that is, and how to choose another.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

mod telegram;

use chappe::{account, errors};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _local) = telegram::signed_in().await?;
    let result = client.invoke(&account::ResetWebAuthorization { hash: 4457235 }).await;
    match result {
        Ok(result) => println!("{result}"), // prints the result
        Err(error) if error.is(errors::HASH_INVALID) => println!("there is no such session"),
        Err(error) => return Err(error.into()),
    }
    Ok(client.close().await?)
}
