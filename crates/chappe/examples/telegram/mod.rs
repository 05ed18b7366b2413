//! Which Telegram the examples speak to, and as whom.
//!
//! Without anything in the environment: a local one in this process, as its demonstration account.
//! With `CHAPPE_SERVER` and `CHAPPE_SERVER_KEY`: a local one that runs, as whoever signed in by the example
//! `sign_in`. With `TELEGRAM_API_ID` and `TELEGRAM_API_HASH`: the real one, likewise.

use std::{env, error::Error, fs};

use chappe::{Client, SignIn};
use chappe_server::{Handle, Server};

/// A client with somebody signed in; and the local Telegram, if it is ours.
pub(crate) async fn signed_in() -> Result<(Client, Option<Handle>), Box<dyn Error>> {
    let builder = if let Ok(address) = env::var("CHAPPE_SERVER") {
        let key = fs::read_to_string(env::var("CHAPPE_SERVER_KEY")?)?;
        Client::builder(1, "0".repeat(32)).server(address, &key)?
    } else if let Ok(api_id) = env::var("TELEGRAM_API_ID") {
        Client::builder(api_id.parse()?, env::var("TELEGRAM_API_HASH")?)
    } else {
        return demonstration().await;
    };
    let client = builder.session("me.session").connect().await?;
    match client.me().await? {
        Some(_) => Ok((client, None)),
        None => Err("nobody is signed in; run the example `sign_in` in this folder first".into()),
    }
}

async fn demonstration() -> Result<(Client, Option<Handle>), Box<dyn Error>> {
    let server = Server::builder().start().await?;
    let client = Client::builder(1, "0".repeat(32))
        .server(server.address(), server.public_key_pem())?
        .connect()
        .await?;
    let account = &server.accounts()[0];
    if let SignIn::Code(step) = client.sign_in_phone(&account.phone).await?
        && let SignIn::Done(_) = step.submit(&account.code).await?
    {
        return Ok((client, Some(server)));
    }
    Err("the local Telegram asks for more than a code".into())
}
