//! Logs out of one website that the account is logged in to with Telegram.
//!
//! Takes the session that the example `sign_in` left, and the same environment.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::env;

use chappe::{Client, account, errors};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = if let Ok(address) = env::var("CHAPPE_SERVER") {
        let key = std::fs::read_to_string(env::var("CHAPPE_SERVER_KEY")?)?;
        Client::builder(1, "0".repeat(32)).server(address, &key)?
    } else {
        let api_id = env::var("TELEGRAM_API_ID")?.parse()?;
        Client::builder(api_id, env::var("TELEGRAM_API_HASH")?)
    };
    let client = client.session("me.session").connect().await?;

    let result = client.invoke(&account::ResetWebAuthorization { hash: 4457235 }).await;
    match result {
        Ok(result) => println!("{result}"), // prints the result
        Err(error) if error.is(errors::HASH_INVALID) => println!("there is no such session"),
        Err(error) => return Err(error.into()),
    }
    Ok(client.close().await?)
}
